// Keyboard: "/" to search, "g" and a letter to go somewhere, "?" for the list of keys.
const GO_MILLISECONDS = 1200;
const search = document.querySelector("[data-search]");
const list = document.querySelector("[data-keys]");
let waiting = 0;

const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

const go = (key) => {
  const link = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
  if (link) link.click();
};

const leave = (target) => {
  if (isTyping(target)) target.blur();
  const menu = document.querySelector("[data-menu][open]");
  if (menu) menu.open = false;
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") leave(event.target);
  if (isTyping(event.target)) return;
  if (Date.now() < waiting) {
    waiting = 0;
    go(event.key);
  } else if (event.key === "g") {
    waiting = Date.now() + GO_MILLISECONDS;
  } else if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?" && list) {
    list.showModal();
  }
});

for (const button of document.querySelectorAll("[data-show-keys]")) {
  button.hidden = false;
  button.addEventListener("click", () => list.showModal());
}
