"use strict";
// Draws the report out of its data. Texts are set as text, never as markup: names come from anywhere.
const data = JSON.parse(document.getElementById("estate").textContent);
const by = (id) => document.getElementById(id);
const number = (n) => n.toLocaleString("en");

function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "rect", "path", "text", "circle", "title"].includes(tag);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((one) => one !== null && one !== undefined));
  return node;
}

// ---- the estate: arcs by head, and the same two questions that Locum asks
const NO_WAY = 0xffff, TAKES = 1, OPENS = 2;
const into = data.vertices.map(() => []), outOf = data.vertices.map(() => []);
data.arcs.forEach((arc, at) => { into[arc.head].push(at); arc.body.forEach((one) => outOf[one].push(at)); });
const numberOf = new Map(data.vertices.map((one) => [one.name, one.id]));
const gone = new Set();

function arcWord(arc, value) {
  const need = arc.need || arc.body.length;
  if (need > arc.body.length || arc.body.length === 0) return NO_WAY;
  let word = 0;
  for (let bit = 0; bit < 16; bit++) {
    const clear = arc.body.filter((one) => !(value[one] >> bit & 1)).length;
    if (clear < need) word |= 1 << bit;
  }
  return word | arc.own;
}

function weakest() {
  const value = data.vertices.map((one) => gone.has(one.id) ? NO_WAY : one.base);
  for (let changed = true; changed;) {
    changed = false;
    for (const arc of data.arcs) {
      if (!(arc.use & TAKES) || gone.has(arc.head)) continue;
      const word = value[arc.head] & arcWord(arc, value);
      if (word !== value[arc.head]) { value[arc.head] = word; changed = true; }
    }
  }
  return value;
}

function available() {
  const there = data.vertices.map((one) => !gone.has(one.id) && !into[one.id].some((at) => data.arcs[at].use & OPENS));
  for (let changed = true; changed;) {
    changed = false;
    for (const arc of data.arcs) {
      if (!(arc.use & OPENS) || there[arc.head] || gone.has(arc.head)) continue;
      const need = arc.need || arc.body.length;
      if (arc.body.length >= need && arc.body.filter((one) => there[one]).length >= need) { there[arc.head] = true; changed = true; }
    }
  }
  return there;
}

const bits = (word, at, width) => { let n = 0; for (let i = at; i < at + width; i++) n += word >> i & 1; return n; };
function factors(word) { return !(word & 1) ? 0 : [1, 2, 4].some((held) => !(word >> held & 1)) ? 1 : 2; }
function level(word) { if (word >> 7 & 1) return -1; const f = factors(word); return f + (f === 2 && bits(word, 8, 2) === 2 ? 1 : 0); }
function worth(word) {
  if (word >> 7 & 1) return "no way in";
  return [["no factor", "one factor", "two factors"][factors(word)], ["typed", "replay-resistant", "phishing-resistant"][bits(word, 8, 2)],
    ["bearer", "sender-constrained", "non-exportable", "attested-hardware"][bits(word, 10, 3)]].join(", ");
}

// ---- summary
by("title").textContent = data.title;
document.title = "Locum: " + data.title;
by("made").textContent = `Made ${data.made_at} by Locum ${data.locum}.` +
  (data.truncated ? ` The map draws ${number(data.truncated.drawn)} of ${number(data.truncated.of)} vertices: those behind the gravest findings.` : "");
const counted = (c) => [["identities", c.identities], ["people", c.people], ["declared paths", c.paths], ["errors", c.errors, "error"], ["warnings", c.warnings, "warning"], ["notes", c.notes]]
  .map(([words, n, style]) => make("div", { class: style || "" }, make("b", {}, number(n)), words));
by("counts").append(...counted(data.counts));

function verdictBar() {
  const parts = [["keep", "var(--l3)"], ["narrow", "var(--l1)"], ["retire", "var(--l0)"]].map(([name, colour]) => [name, data.counts[name] || 0, colour]);
  const whole = parts.reduce((sum, part) => sum + part[1], 0) || 1;
  const svg = make("svg", { viewBox: "0 0 1000 44", preserveAspectRatio: "none", role: "img", "aria-label": parts.map(([name, n]) => `${name} ${n}`).join(", ") });
  let x = 0;
  for (const [, n, colour] of parts) { const wide = 1000 * n / whole; svg.append(make("rect", { x, y: 0, width: Math.max(0, wide - 2), height: 44, fill: colour })); x += wide; }
  const words = make("p", {}, "Fallbacks: " + parts.map(([name, n]) => `${name} ${number(n)}`).join(" · "));
  return make("div", {}, svg, words);
}
by("bar").append(verdictBar());
function trendWords() {
  if (!data.trend) return "This is the first run that this report knows of; give the last one with --last to see the trend.";
  const fresh = data.findings.filter((one) => one.new).length, before = data.trend.counts;
  return `Since ${data.trend.before}: ${number(fresh)} new, ${number(data.trend.gone.length)} gone; errors ${number(before.errors)} → ${number(data.counts.errors)}, warnings ${number(before.warnings)} → ${number(data.counts.warnings)}.`;
}
by("trend").textContent = trendWords();
const gravest = () => data.findings.slice().sort((a, b) => order(a) - order(b) || b.reach - a.reach).slice(0, 5);
const order = (one) => ["error", "warning", "note"].indexOf(one.severity);
by("gravest").append(...gravest().map((one) => make("li", {}, make("b", {}, one.subject || "the estate"), ": " + one.fact + " ", mapLink(one))));

function mapLink(one) {
  return one.vertex === null || one.vertex === undefined ? "" : make("a", { href: "#map=" + encodeURIComponent(data.vertices[one.vertex].name) }, "on the map");
}

// ---- the map: what leads to the chosen vertex, in layers from right to left
let chosen = null, zoom = 1, panX = 0, panY = 0;
by("names").append(...data.vertices.filter((one) => !["way", "quorum", "authenticator"].includes(one.kind)).slice(0, 5000).map((one) => make("option", { value: one.name })));

function layersOf(start) {
  const layer = new Map([[start, 0]]), queue = [start];
  while (queue.length) {
    const at = queue.shift();
    if (layer.get(at) >= 9 || layer.size > 220) continue;
    for (const arc of into[at]) for (const one of data.arcs[arc].body) if (!layer.has(one)) { layer.set(one, layer.get(at) + 1); queue.push(one); }
  }
  return layer;
}

function routeTo(start, value) {
  // The cheapest derivation that shows the weakest component: fewest factors, else what is typed.
  const word = value[start];
  if (word >> 7 & 1) return new Set();
  const bit = !(word & 1) ? 0 : [1, 2, 4].find((one) => !(word >> one & 1)) ?? [8, 9, 10, 11, 12, 7].find((one) => !(word >> one & 1));
  const cost = new Map(), via = new Map();
  data.vertices.forEach((one) => { if (!gone.has(one.id) && !(one.base >> bit & 1)) cost.set(one.id, 1); });
  for (let changed = true; changed;) {
    changed = false;
    data.arcs.forEach((arc, at) => {
      if (!(arc.use & TAKES) || arc.own >> bit & 1 || gone.has(arc.head)) return;
      const need = arc.need || arc.body.length;
      const had = arc.body.filter((one) => cost.has(one)).sort((a, b) => cost.get(a) - cost.get(b));
      if (had.length < need || need === 0) return;
      const sum = 1 + had.slice(0, need).reduce((total, one) => total + cost.get(one), 0);
      if (!cost.has(arc.head) || sum < cost.get(arc.head)) { cost.set(arc.head, sum); via.set(arc.head, [at, had.slice(0, need)]); changed = true; }
    });
  }
  const route = new Set(), seen = new Set(), stack = [start];
  while (stack.length) {
    const at = stack.pop();
    if (seen.has(at) || !via.has(at)) continue;
    seen.add(at);
    const [arc, body] = via.get(at);
    body.forEach((one) => { route.add(`${arc}:${one}`); stack.push(one); });
    route.add(`${arc}`);
  }
  return route;
}

function draw() {
  by("canvas").replaceChildren();
  by("chosen").replaceChildren();
  by("restore").hidden = gone.size === 0;
  if (chosen === null) { by("said").textContent = "Choose somebody above, or follow a finding to the map."; return; }
  const value = weakest(), there = available(), layer = layersOf(chosen), route = routeTo(chosen, value);
  const columns = [];
  for (const [one, at] of layer) (columns[at] = columns[at] || []).push(one);
  const place = new Map(), wide = 300, high = 56;
  columns.forEach((column, at) => column.forEach((one, row) => place.set(one, [(columns.length - 1 - at) * wide + 20, (row - (column.length - 1) / 2) * high + 260])));
  const svg = make("svg", { role: "group" }), world = make("g", {});
  const lines = make("g", {}), nodes = make("g", {});
  data.arcs.forEach((arc, at) => {
    if (!place.has(arc.head) || !arc.body.every((one) => place.has(one))) return;
    if (!(arc.use & TAKES) && into[arc.head].some((other) => data.arcs[other].use & TAKES && String(data.arcs[other].body) === String(arc.body))) return;
    const [hx, hy] = place.get(arc.head), style = (weak) => (weak ? "weak" : "") + (arc.use & TAKES ? "" : " opens");
    const joint = arc.body.length > 1 ? [hx - 22, hy + 20] : [hx, hy + 20];
    for (const one of arc.body) {
      const [x, y] = place.get(one), from = [x + 256, y + 20], bend = Math.max(30, (joint[0] - from[0]) / 2);
      lines.append(make("path", { class: style(route.has(`${at}:${one}`)), d: `M${from[0]},${from[1]} C${from[0] + bend},${from[1]} ${joint[0] - bend},${joint[1]} ${joint[0]},${joint[1]}` },
        make("title", {}, `${data.vertices[one].shown} ${arc.why} ${data.vertices[arc.head].shown}`)));
    }
    if (arc.body.length > 1) {
      lines.append(make("path", { class: style(route.has(`${at}`)), d: `M${joint[0]},${joint[1]} L${hx},${hy + 20}` }));
      lines.append(make("circle", { cx: joint[0], cy: joint[1], r: 5 }, make("title", {}, `${arc.need || arc.body.length} of ${arc.body.length} together`)));
    }
  });
  for (const [one, [x, y]] of place) {
    const vertex = data.vertices[one], shade = level(value[one]);
    const label = vertex.shown.length > 38 ? vertex.shown.slice(0, 37) + "…" : vertex.shown;
    const node = make("g", { class: `node s${shade < 0 ? "n" : shade}${one === chosen ? " focus" : ""}${gone.has(one) ? " gone" : ""}`, tabindex: 0, role: "button",
      "aria-label": `${vertex.shown}: ${worth(value[one])}${there[one] ? "" : ", out of reach"}`, transform: `translate(${x},${y})`,
      onclick: () => walk(one), onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); walk(one); } } },
      make("rect", { width: 256, height: 40 }), make("text", { x: 8, y: 17 }, label),
      make("text", { x: 8, y: 33, style: "fill:var(--soft);font-size:10.5px" }, (there[one] ? "" : "out of reach · ") + worth(value[one])), make("title", {}, vertex.name));
    nodes.append(node);
  }
  world.append(lines, nodes);
  svg.append(world);
  by("canvas").append(svg);
  const width = columns.length * wide, box = by("canvas").clientWidth || 1100;
  const tallest = Math.max(...columns.map((column) => column.length)) * high;
  // Small enough to see it whole, and never too small to read; the chosen one is at the right edge.
  const fit = Math.max(0.7, Math.min(1, box / (width + 20), 520 / (tallest + 20)));
  const start = width * fit > box ? box - width * fit + 30 * fit : (box - width * fit) / 2;
  const turn = () => world.setAttribute("transform", `translate(${panX + box - (box - start) * zoom},${panY + 260 - 280 * fit * zoom}) scale(${fit * zoom})`);
  turn();
  draw.turn = turn;
  const vertex = data.vertices[chosen];
  const before = vertex.worth, now = worth(value[chosen]);
  by("said").textContent = gone.size === 0 ? `${vertex.shown} can be entered with ${now}.`
    : `Without ${[...gone].map((one) => data.vertices[one].shown).join(", ")}: ${before} → ${now}; ${there[chosen] ? "there is a way in left" : "no way in is left"}.`;
  const leads = [...new Set(outOf[chosen].map((at) => data.arcs[at].head))];
  by("chosen").append(
    make("p", {}, make("b", {}, vertex.shown), ` (${vertex.kind}${vertex.privileged ? ", may change others" : ""}${vertex.unknown ? ", nothing says how it is opened" : ""}) ${vertex.place} `,
      make("button", { type: "button", onclick: () => { if (gone.has(chosen)) gone.delete(chosen); else gone.add(chosen); draw(); } }, gone.has(chosen) ? "Bring it back" : "Think it away")),
    leads.length ? make("p", {}, "Leads to: ", ...leads.slice(0, 30).flatMap((one) => [make("a", { href: "#map=" + encodeURIComponent(data.vertices[one].name) }, data.vertices[one].shown), " "])) : null,
    ...data.findings.filter((one) => one.vertex === chosen || one.subject.startsWith(vertex.name + "/")).map((one) => card(one)));
}

function walk(one) { location.hash = "map=" + encodeURIComponent(data.vertices[one].name); }
function fromHash() {
  const [, name] = location.hash.match(/^#map=(.*)$/) || [];
  document.body.classList.toggle("board", location.hash === "#board");
  if (name === undefined) return;
  const found = numberOf.get(decodeURIComponent(name));
  if (found === undefined) return;
  chosen = found; zoom = 1; panX = 0; panY = 0;
  by("search").value = data.vertices[found].name;
  draw();
  by("map").scrollIntoView();
}
window.addEventListener("hashchange", fromHash);
by("search").addEventListener("change", () => { const found = numberOf.get(by("search").value); if (found !== undefined) walk(found); else by("said").textContent = "Nothing here has that name."; });
by("restore").addEventListener("click", () => { gone.clear(); draw(); });
const closer = (times) => { zoom = Math.min(6, Math.max(0.3, zoom * times)); if (draw.turn) draw.turn(); };
by("closer").addEventListener("click", () => closer(1.25));
by("farther").addEventListener("click", () => closer(0.8));
by("canvas").addEventListener("wheel", (event) => { if (event.ctrlKey) { event.preventDefault(); closer(event.deltaY < 0 ? 1.1 : 0.9); } }, { passive: false });
let held = null;
by("canvas").addEventListener("pointerdown", (event) => { held = [event.clientX - panX, event.clientY - panY]; });
window.addEventListener("pointermove", (event) => { if (held) { panX = event.clientX - held[0]; panY = event.clientY - held[1]; if (draw.turn) draw.turn(); } });
window.addEventListener("pointerup", () => { held = null; });
by("canvas").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key];
  if (step && event.target === by("canvas")) { event.preventDefault(); panX += step[0]; panY += step[1]; if (draw.turn) draw.turn(); }
  if (event.key === "+") closer(1.25);
  if (event.key === "-") closer(0.8);
});

// ---- lock-outs, findings, verdicts
by("losses").append(...data.lock_outs.map((one) => make("tr", {},
  make("td", {}, one.vertex === null ? one.lost : make("a", { href: "#map=" + encodeURIComponent(data.vertices[one.vertex].name) }, one.lost)),
  make("td", {}, number(one.count)), make("td", {}, one.identities.slice(0, 12).join(", ") + (one.count > 12 ? " …" : "")))));

function card(one) {
  return make("details", {}, make("summary", {}, make("span", { class: "tag " + one.severity }, one.severity), make("b", {}, one.subject || "the estate"), " ",
    make("span", {}, one.fact), one.new ? make("span", { class: "new" }, "new") : null),
    one.chain.length ? make("ol", {}, ...one.chain.map((step) => make("li", {}, step))) : null,
    make("p", { class: "remedy" }, one.remedy, one.checked ? make("span", { class: "soft" }, " (tried: solved again, and it was gone)") : null),
    make("p", { class: "soft" }, `${one.rule}${one.law ? ", law " + one.law : ""} · ${one.clauses.join(", ")} · ${one.place} · ${one.fingerprint.slice(0, 12)} `, mapLink(one)));
}
const rules = [...new Set(data.findings.map((one) => one.rule))].sort();
by("rule").append(...rules.map((one) => make("option", {}, one)));
function list() {
  const severity = by("severity").value, rule = by("rule").value, text = by("text").value.toLowerCase(), fresh = by("fresh").checked;
  const found = data.findings.filter((one) => (!severity || one.severity === severity) && (!rule || one.rule === rule) && (!fresh || one.new) &&
    (!text || [one.subject, one.fact, one.remedy, ...one.chain].some((words) => words.toLowerCase().includes(text))));
  by("count").textContent = `${number(found.length)} of ${number(data.findings.length)}` + (found.length > 500 ? ", the first 500 shown" : "");
  by("list").replaceChildren(...found.sort((a, b) => order(a) - order(b)).slice(0, 500).map(card));
}
for (const id of ["severity", "rule", "text", "fresh"]) by(id).addEventListener("input", list);
list();
const rank = { retire: 0, narrow: 1, keep: 2 };
by("judged").append(...data.verdicts.slice().sort((a, b) => rank[a.verdict] - rank[b.verdict]).slice(0, 1000).map((one) =>
  make("tr", {}, make("td", {}, one.path), make("td", {}, make("b", {}, one.verdict)), make("td", {}, one.reasons.join("; ")))));

// ---- one page for a board
by("board").append(make("h1", {}, "Fallback authentication: " + data.title), make("p", { class: "soft" }, `As of ${data.made_at}.`),
  make("div", { class: "counts" }, ...counted(data.counts)), make("h2", {}, "Second ways in: what should become of them"), verdictBar(),
  make("h2", {}, "What matters most"), make("ol", {}, ...gravest().map((one) => make("li", {}, make("b", {}, one.subject || "the estate"), ": " + one.fact + " ", make("i", {}, one.remedy)))),
  make("h2", {}, "Trend"), make("p", {}, trendWords()),
  make("p", { class: "soft" }, "A fallback is a second way into an identity. It should be no weaker than the first, open only while the first is shut, end by itself, and be reviewed."));
by("print").addEventListener("click", () => window.print());
draw();
fromHash();
