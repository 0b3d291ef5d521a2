// Shows one map at a time.
const choice = document.querySelector("form select");
function show() {
  for (const section of document.querySelectorAll("section.choice")) section.hidden = section.id !== choice.value;
}
document.querySelector("form").hidden = false;
choice.addEventListener("input", show);
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
addEventListener("beforeprint", () => {
  for (const section of document.querySelectorAll("section.choice")) section.hidden = false;
});
addEventListener("afterprint", show);
show();
