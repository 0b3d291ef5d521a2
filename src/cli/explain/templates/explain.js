// Draws the heat maps from the page's data, makes a table of each on request, and steps through the words.
const data = JSON.parse(document.getElementById("data").textContent);
const words = data.tokens.map(token => token.text);
const names = data.tasks.map(task => task.name);
const element = (tag, attributes = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
};
const short = x => x === 0 ? "0" : (Math.abs(x) >= 1e-3 && Math.abs(x) < 1e4 ? String(+x.toPrecision(3)) : x.toExponential(1)).replaceAll("-", "−");
const largest = rows => rows.reduce((most, row) => row.reduce((most, x) => Math.max(most, Math.abs(x)), most), 0);
const norm = row => Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));

// Colours come from the style sheet, so that light, dark and paper each have their own.
const colour = name => {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
};
const drawn = [];
const palette = paper => paper
  ? { page: [255, 255, 255], low: [20, 86, 156], high: [179, 71, 15] , opposed: [161, 35, 142], agreed: [139, 146, 156] }
  : { page: colour("--page"), low: colour("--negative"), high: colour("--positive"), opposed: colour("--opposed"), agreed: colour("--agreed") };
function paint(paper) {
  const { page, low, high, opposed, agreed } = palette(paper);
  for (const { canvas, rows, scale, kind } of drawn) {
    const image = new ImageData(canvas.width, canvas.height);
    rows.forEach((row, i) => row.forEach((x, j) => {
      const [below, above] = kind === "agreement" ? [opposed, agreed] : [low, high];
      const end = x < 0 ? below : above, t = scale > 0 ? Math.sqrt(Math.abs(x) / scale) : 0;
      const at = 4 * (i * canvas.width + j);
      for (let c = 0; c < 3; c++) image.data[at + c] = page[c] + t * (end[c] - page[c]);
      image.data[at + 3] = 255;
    }));
    canvas.getContext("2d").putImageData(image, 0, 0);
  }
}

// Lines so high that many words fit on a screen, yet names can be read if there are not too many.
const lineHeight = count => count === 1 ? 24 : Math.max(4, Math.min(18, 540 / count));
function figure(title, rows, { labels = null, direction = null, kind = "value", note = "" } = {}) {
  const scale = largest(rows), height = lineHeight(rows.length);
  const canvas = element("canvas", { width: rows[0].length, height: rows.length });
  drawn.push({ canvas, rows, scale, kind });
  const map = element("div", { className: labels ? "map" : "map bare" });
  map.style.height = `${height * rows.length}px`;
  if (labels) {
    const list = element("div", { className: "labels" }, ...(height >= 11 ? labels : []).map(text => {
      const label = element("span", {}, text);
      label.style.lineHeight = label.style.height = `${height}px`;
      return label;
    }));
    list.setAttribute("aria-hidden", "true");
    map.append(list);
  }
  map.append(canvas);
  const strongest = rows.map(norm).reduce((best, x, i, all) => x > all[best] ? i : best, 0);
  const flat = rows.flat(), [low, high] = flat.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [0, 0]);
  const where = labels && rows.length > 1 && scale > 0 ? `, strongest at line ${strongest + 1}, ${labels[strongest]}` : "";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${title}: ${rows.length} by ${rows[0].length} numbers from ${short(low)} to ${short(high)}${where}`);
  if (direction !== null) map.dataset.direction = direction;
  const caption = kind === "agreement" ? note : scale > 0 ? `up to ${short(scale)}` : "all 0";
  return element("figure", {}, map, element("figcaption", {}, element("b", {}, title), ` ${caption}`));
}

// The numbers themselves, made when they are asked for.
function numbers(tables) {
  const details = element("details", {}, element("summary", {}, "The numbers"));
  details.addEventListener("toggle", () => {
    if (!details.open || details.childElementCount > 1) return;
    for (const [title, rows, labels] of tables) {
      const head = element("tr", {}, element("th", { scope: "col" }), ...rows[0].map((_, j) => element("th", { scope: "col" }, String(j + 1))));
      const body = rows.map((row, i) => element("tr", {}, element("th", { scope: "row" }, labels[i]), ...row.map(x => element("td", {}, short(x)))));
      const table = element("table", {}, element("caption", {}, title), element("thead", {}, head), element("tbody", {}, ...body));
      const box = element("div", { className: "scroll", tabIndex: 0 }, table);
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", title);
      details.append(box);
    }
  });
  return details;
}

// Below 0 where two tasks point against each other, above 0 where all agree; as large as the geometric mean of the two weakest.
function agreement(gradients) {
  return gradients[0].map((row, i) => row.map((_, j) => {
    const all = gradients.map(gradient => gradient[i][j]);
    const high = Math.max(...all), low = Math.min(...all);
    if (high > 0 && low < 0) return -Math.sqrt(high * -low);
    const sorted = all.map(Math.abs).sort((a, b) => b - a);
    return Math.sqrt(sorted[0] * sorted[1]);
  }));
}
function note({ agreements }) {
  if (agreements.length !== 1) return "";
  const [{ cosine, opposed }] = agreements;
  return `cosine ${cosine === null ? "–" : short(cosine)}, ${opposed === null ? "no" : Math.round(100 * opposed) + " %"} opposite signs`;
}
const gradientTitle = task => `Gradient of ${task.name}’s ${task.gradient_of}`;
function show(box, place, labels, direction) {
  const options = { labels, direction };
  const gradients = data.tasks.map((task, k) => [gradientTitle(task), place.gradients[k]]);
  box.append(figure("Value", place.value, options), ...gradients.map(([title, rows]) => figure(title, rows, options)));
  if (data.tasks.length > 1) {
    box.append(figure("Agreement", agreement(place.gradients), { ...options, kind: "agreement", note: note(place) }));
  }
  box.append(numbers([["Value", place.value, labels ?? [""]], ...gradients.map(([title, rows]) => [title, rows, labels ?? [""]])]));
}

// Of a sentence vector that is a maximum: each filter's number at the words of its winning window, 0 elsewhere.
function spread(row, { width, first }) {
  return words.map((_, n) => row.map((x, f) => n >= first[f] && n < first[f] + width ? x : 0));
}

for (const box of document.querySelectorAll("[data-place]")) {
  const place = data.places[box.dataset.place];
  const direction = place.name.startsWith("forward.") ? 1 : place.name.startsWith("backward.") ? -1 : 0;
  const labels = place.rows_of === "text" ? null : place.rows_of === "tokens" ? words : place.value.map((_, n) => `${words[n]} …`);
  if (place.windows) {
    const spreadOut = rows => spread(rows[0], place.windows);
    box.before(element("p", {}, `The words in each filter’s winning window, which has ${place.windows.width} words; a column is a filter.`));
    const wide = element("div", { className: "maps" });
    const unfolded = { ...place, value: spreadOut(place.value), gradients: place.gradients.map(spreadOut) };
    show(wide, unfolded, words, 0);
    box.before(wide);
    box.before(element("p", {}, "The vector itself."));
  }
  show(box, place, labels, labels === words ? direction : null);
}
for (const box of document.querySelectorAll("[data-head]")) {
  const { head } = data.tasks[box.dataset.head];
  const sentence = data.places.find(place => place.name === "sentence").value;
  const rows = [["Sentence vector s", sentence], ["Weights w", [head.weights]], ["Contributions w·s", [head.contributions]]];
  box.append(...rows.map(([title, rows]) => figure(title, rows)), numbers(rows.map(([title, rows]) => [title, rows, [""]])));
}

// Bars behind the numbers of each column; the middle is 0.
const bars = [...document.querySelectorAll(".bars tbody:first-of-type tr")].map(row => [...row.querySelectorAll(".bar")]);
bars[0].forEach((_, column) => {
  const cells = bars.map(row => row[column]), values = cells.map(cell => +cell.dataset.value);
  const most = Math.max(...values.map(Math.abs)) || 1;
  cells.forEach((cell, n) => {
    const width = 50 * Math.abs(values[n]) / most, from = values[n] < 0 ? 50 - width : 50;
    const fill = values[n] < 0 ? "var(--negative)" : "var(--positive)";
    cell.style.backgroundImage = `linear-gradient(90deg, transparent ${from}%, color-mix(in srgb, ${fill} 35%, transparent) ${from}% ${from + width}%, transparent ${from + width}%)`;
  });
});

// The equations of one unit at the word, with their numbers.
const part = (direction, name) => data.places.find(place => place.name === `${direction}.${name}`);
const units = part("forward", "cells")?.value[0].length;
let unit = 0, now = 0;
if (units) {
  const input = element("input", { type: "number", min: 1, max: units, value: 1, id: "unit" });
  input.addEventListener("input", () => { unit = Math.min(units, Math.max(1, Math.round(+input.value) || 1)) - 1; equations(); });
  const box = element("div", { className: "equations" }, element("p", {}, element("label", { htmlFor: "unit" }, "One unit in numbers: unit "), input, ` of ${units}`), element("div", { id: "equations" }));
  document.getElementById("unit-box").append(box);
}
function equations() {
  if (!units) return;
  const lines = [["forward", now - 1], ["backward", now + 1]].flatMap(([direction, before]) => {
    const at = (name, n = now) => part(direction, name).value[n]?.[unit] ?? 0;
    const [i, f, g, o] = ["input-gate", "forget-gate", "candidate", "output-gate"].map(name => short(at(name)));
    const c = short(at("cells"));
    return [
      element("p", {}, element("b", {}, `${direction} `), element("span", { className: "formula" }, `c = f·c₋ + i·g = ${f}·${short(at("cells", before))} + ${i}·${g} = ${c}`)),
      element("p", {}, element("span", { className: "formula" }, `h = o·tanh(c) = ${o}·tanh(${c}) = ${short(at("states"))}`)),
    ];
  });
  document.getElementById("equations").replaceChildren(...lines);
}

// What the places hold at the word.
const titles = [...document.querySelectorAll("#layers .place h3")].map(heading => heading.textContent);
function atWord() {
  const head = ["Place", "norm of the value", ...data.tasks.map(task => `gradient, ${task.name}`)];
  if (data.tasks.length === 2) head.push("cosine");
  const rows = data.places.map((place, i) => [place, titles[i]]).filter(([place]) => place.rows_of === "tokens").map(([place, title]) => {
    const gradients = place.gradients.map(gradient => gradient[now]);
    const cells = [place.value[now], ...gradients].map(row => short(norm(row)));
    if (data.tasks.length === 2) {
      const [a, b] = gradients, lengths = norm(a) * norm(b);
      cells.push(lengths > 0 ? short(a.reduce((sum, x, j) => sum + x * b[j], 0) / lengths) : "–");
    }
    return element("tr", {}, element("th", { scope: "row" }, title), ...cells.map(text => element("td", {}, text)));
  });
  const table = element("table", {}, element("caption", {}, `At word ${now + 1}, “${words[now]}”.`),
    element("thead", {}, element("tr", {}, ...head.map((text, i) => element("th", { scope: "col", className: i ? "" : "text" }, text)))), element("tbody", {}, ...rows));
  const windows = data.places.find(place => place.windows)?.windows;
  const won = windows?.first.filter(first => now >= first && now < first + windows.width).length;
  const says = windows ? [element("p", {}, `In the winning windows of ${won} of ${windows.first.length} filters.`)] : [];
  document.getElementById("at-word").replaceChildren(table, ...says);
}

const slider = document.getElementById("step");
const maps = [...document.querySelectorAll(".map[data-direction]")].map(map => {
  const [mark, veil] = ["mark", "veil"].map(className => map.appendChild(element("div", { className })));
  return { mark, veil, direction: +map.dataset.direction, height: parseFloat(map.style.height) / words.length };
});
function step(n) {
  now = Math.min(words.length - 1, Math.max(0, n));
  slider.value = now;
  slider.setAttribute("aria-valuetext", `${now + 1} of ${words.length}: ${words[now]}`);
  document.getElementById("word").textContent = `${now + 1}/${words.length} ${words[now]}`;
  for (const marked of document.querySelectorAll("[data-word]")) marked.classList.toggle("now", +marked.dataset.word === now);
  for (const { mark, veil, direction, height } of maps) {
    mark.style.top = `${now * height}px`;
    mark.style.height = `${height}px`;
    const [from, to] = direction > 0 ? [now + 1, words.length] : direction < 0 ? [0, now] : [0, 0];
    veil.style.top = `${from * height}px`;
    veil.style.height = `${(to - from) * height}px`;
  }
  atWord();
  equations();
}
slider.addEventListener("input", () => step(+slider.value));
document.getElementById("previous").addEventListener("click", () => step(now - 1));
document.getElementById("next").addEventListener("click", () => step(now + 1));
for (const token of document.querySelectorAll(".tokens li")) token.addEventListener("click", () => step(+token.dataset.word));
addEventListener("keydown", event => {
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  // Inputs and what scrolls have their own use for the arrows; a button that was just pressed has none.
  const taken = event.target.closest("input, pre, .scroll") || event.altKey || event.ctrlKey || event.metaKey;
  if (move && !taken) step(now + move);
});

// A link to code opens the listing that it leads to.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
}
addEventListener("hashchange", reveal);
reveal();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint(false));
addEventListener("beforeprint", () => paint(true));
addEventListener("afterprint", () => paint(false));
paint(false);
step(0);
