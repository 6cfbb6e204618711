// Keys that work on every page: the search field, the help, and leaving both. Pages add theirs by onKey().

const help = document.getElementById("help");
const field = document.getElementById("q");
const keys = new Map();

/** Call `action` when this key is pressed outside of fields. */
export function onKey(key, action) {
  keys.set(key, action);
}

onKey("/", () => {
  field.focus();
  field.select();
});
onKey("?", () => help.showModal());

document.getElementById("help-link").addEventListener("click", (event) => {
  event.preventDefault();
  help.showModal();
});

const isText = (element) => element.matches("input:not([type=range], [type=checkbox]), textarea, select");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || help.open) return;
  const target = event.target;
  if (isText(target)) {
    if (event.key === "Escape") {
      target.blur();
      event.preventDefault();
    }
    return;
  }
  if (target.matches("input[type=range]") && /^(Arrow|Home|End|Page)/.test(event.key)) return;
  if (event.key === " " && target.matches("button:not(.play), input[type=checkbox], summary")) return;
  if (event.key === "Enter" && target.matches("a, button, summary, input")) return;
  const action = keys.get(event.key);
  if (action) {
    event.preventDefault();
    action(event);
  }
});
