// Draws each specification into the figure that holds it, and opens what is folded before printing.
const style = {
  background: null,
  font: "system-ui, sans-serif",
  autosize: { type: "fit-x", contains: "padding" },
  view: { stroke: null },
  axis: {
    labelColor: "var(--ink)", titleColor: "var(--ink)", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
    domainColor: "var(--line)", tickColor: "var(--line)", gridColor: "var(--line)",
  },
  legend: { labelColor: "var(--ink)", labelFontSize: 12, labelLimit: 0 },
  text: { fontSize: 13 },
};
for (const script of document.querySelectorAll("script.chart")) {
  const { spec } = vegaLite.compile(JSON.parse(script.textContent), { config: style });
  new vega.View(vega.parse(spec), { renderer: "svg", container: script.previousElementSibling }).runAsync();
}
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
