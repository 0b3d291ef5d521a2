// Draws each specification into the figure that holds it, and opens what is folded before printing.
const style = {
  background: null,
  // The box around a chart says in words what it shows, and a table has its numbers.
  aria: false,
  font: "system-ui, sans-serif",
  autosize: { type: "fit-x", contains: "padding" },
  view: { stroke: null },
  axis: {
    labelColor: "var(--ink)", titleColor: "var(--ink)", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
    domainColor: "var(--line)", tickColor: "var(--line)", gridColor: "var(--line)",
  },
  axisX: { labelFlush: false, labelOverlap: "greedy", labelSeparation: 8 },
  legend: { labelColor: "var(--ink)", labelFontSize: 12, labelLimit: 0 },
  text: { align: "left", color: "var(--ink)", fontSize: 13 },
  // Keeps lines that pass behind a label from crossing it out.
  style: { halo: { stroke: "var(--page)", strokeWidth: 5, strokeJoin: "round" } },
};
for (const script of document.querySelectorAll("script.chart")) {
  const { spec } = vegaLite.compile(JSON.parse(script.textContent), { config: style });
  // Expressions are interpreted, not compiled: the page's policy forbids `eval`.
  const runtime = vega.parse(spec, null, { ast: true });
  new vega.View(runtime, { renderer: "svg", container: script.previousElementSibling, expr: expressionInterpreter }).runAsync();
}
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
