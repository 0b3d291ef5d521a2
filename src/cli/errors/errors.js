// Shows the errors of a task, of a kind, or with some words.
const [task, kind, words] = ["task", "kind", "words"].map((id) => document.getElementById(id));
function show() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const section of document.querySelectorAll("section")) {
    section.hidden = task.value !== "" && task.value !== section.id;
    for (const texts of section.querySelectorAll(".texts")) {
      texts.hidden = kind.value !== "" && kind.value !== texts.dataset.kind;
      for (const row of texts.querySelectorAll("tbody tr")) {
        const text = row.querySelector("span").textContent.toLowerCase();
        row.hidden = !wanted.every((word) => text.includes(word));
        shown += !(section.hidden || texts.hidden || row.hidden);
      }
    }
  }
  document.querySelector("output").textContent = `${shown} errors`;
}
document.querySelector("form").hidden = false;
document.querySelector("form").addEventListener("input", show);
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
show();
