// The live feed: new revisions are fetched as rows, or counted while the reader has paused.
const feed = document.querySelector("[data-feed]");
const controls = document.querySelector("[data-live]");

if (feed && controls && "EventSource" in window) {
  const state = controls.querySelector("[data-live-state]");
  const pause = controls.querySelector("[data-live-pause]");
  const count = controls.querySelector("[data-live-count]");
  let newest = Number(feed.dataset.newest);
  let paused = false;
  const missed = new Set();

  const say = (name, words) => {
    controls.dataset.state = name;
    state.textContent = words;
  };

  const tellMissed = () => {
    count.hidden = missed.size === 0;
    count.textContent = missed.size === 1 ? "1 new change" : `${missed.size} new changes`;
  };

  const fetchRows = async () => {
    const answer = await fetch(`${feed.dataset.rows}&newer=${newest}`, { credentials: "same-origin" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const rows = [...fresh.querySelectorAll("[data-revision]")].filter((row) => Number(row.dataset.revision) > newest);
    for (const row of rows.reverse()) {
      newest = Math.max(newest, Number(row.dataset.revision));
      row.dataset.fresh = "";
      feed.prepend(document.adoptNode(row));
    }
    missed.clear();
    tellMissed();
    document.querySelector("[data-feed-empty]")?.remove();
  };

  let asked = 0;
  const soon = () => {
    clearTimeout(asked);
    asked = setTimeout(fetchRows, 250);
  };

  const take = (event) => {
    const revision = Number(JSON.parse(event.data).sequence);
    if (!(revision > newest)) return;
    missed.add(revision);
    if (paused) tellMissed();
    else soon();
  };

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Resume" : "Pause";
    if (!paused && missed.size > 0) soon();
  });
  count.addEventListener("click", soon);

  const source = new EventSource(feed.dataset.stream);
  source.addEventListener("open", () => say("open", "Live"));
  source.addEventListener("error", () => say("away", "Reconnecting"));
  source.addEventListener("message", take);
  window.addEventListener("pagehide", () => source.close());
  controls.hidden = false;
}
