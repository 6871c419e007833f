// The policy editor: line numbers, and what lint finds while one types.
const LINT_MILLISECONDS = 350;

for (const editor of document.querySelectorAll("[data-editor]")) {
  const text = editor.querySelector("textarea");
  const lines = editor.querySelector("[data-lines]");
  const findings = document.querySelector("[data-findings]");

  const number = () => {
    const count = text.value.split("\n").length;
    lines.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
  };

  let latest = 0;
  const lint = async () => {
    const mine = ++latest;
    const body = new URLSearchParams({ content: text.value, policy_id: editor.dataset.policy ?? "" });
    const token = document.querySelector("[name=csrf_token]");
    if (token) body.set("csrf_token", token.value);
    const answer = await fetch(editor.dataset.lint, { method: "POST", body, credentials: "same-origin" });
    if (!answer.ok) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    // answers may overtake each other: what is older than the text says nothing of it
    if (mine !== latest) return;
    findings.replaceChildren(...found.body.childNodes);
  };

  let asked = 0;
  text.addEventListener("input", () => {
    number();
    clearTimeout(asked);
    asked = setTimeout(lint, LINT_MILLISECONDS);
  });
  text.addEventListener("scroll", () => {
    lines.scrollTop = text.scrollTop;
  });
  number();
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy || window.location.href);
    button.querySelector("[data-words]").textContent = "Copied";
  });
}
