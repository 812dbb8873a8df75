"use strict";
// Everything is put in as text: what a database says can never become markup here.
const { cells, findings } = JSON.parse(document.getElementById("data").textContent);
const LETTERS = { select: "S", insert: "I", update: "U", delete: "D", move: "M", execute: "X" };
const ORDER = Object.keys(LETTERS);
const VERDICTS = {
  leak: "gets or changes what belongs to others", own: "gets only what is its own", nothing: "gets no row",
  refused: "refused by a policy or by the function", "no grant": "has no privilege", error: "another error",
};
const byId = (id) => document.getElementById(id);
const make = (tag, text = "", className = "") => Object.assign(document.createElement(tag), { textContent: text, className });
const inOrder = (some) => some.sort((one, other) => ORDER.indexOf(one.command) - ORDER.indexOf(other.command));
const cssName = (verdict) => verdict.replace(" ", "-");
const distinct = (key) => [...new Set(cells.map((cell) => cell[key]))];

function boxes(place, names, describe) {
  for (const name of names) {
    const label = make("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value: name, checked: true });
    label.append(box, ...describe(name));
    byId(place).append(label);
  }
}

const chosen = (place) => new Set([...byId(place).querySelectorAll("input:checked")].map((box) => box.value));

function show(cell) {
  byId("evidence-title").textContent = `${cell.object}: ${cell.command} as ${cell.persona}`;
  byId("evidence-said").textContent = `${cell.verdict}: ${VERDICTS[cell.verdict]}. Seen: ${cell.said}`;
  const related = findings.filter((finding) => finding.object === cell.object && (finding.command === cell.command || cell.verdict === "leak"));
  byId("evidence-findings").replaceChildren(...related.flatMap((finding) =>
    [make("h4", finding.id), make("p", finding.finding), make("p", `Seen: ${finding.evidence}`), make("pre", finding.reproduce)]));
  byId("evidence").showModal();
}

function button(cell) {
  const made = make("button", LETTERS[cell.command] ?? "?", `cell ${cssName(cell.verdict)}`);
  made.type = "button";
  made.title = `${cell.command} as ${cell.persona}: ${cell.verdict}`;
  made.setAttribute("aria-label", `${cell.object}, ${made.title}`);
  made.addEventListener("click", () => show(cell));
  return made;
}

function draw() {
  const wanted = byId("object").value.toLowerCase(), persona = byId("persona").value;
  const commands = chosen("commands"), verdicts = chosen("verdicts");
  const shown = cells.filter((cell) => cell.object.toLowerCase().includes(wanted) && (!persona || cell.persona === persona)
    && commands.has(cell.command) && verdicts.has(cell.verdict));
  const people = distinct("persona").filter((name) => shown.some((cell) => cell.persona === name));
  const rows = new Map();
  for (const cell of shown) {
    const row = rows.get(cell.object) ?? new Map();
    row.set(cell.persona, [...(row.get(cell.persona) ?? []), cell]);
    rows.set(cell.object, row);
  }
  const head = make("thead"), line = make("tr");
  line.append(make("th", "object"), ...people.map((name) => { const th = make("th"); th.append(make("span", name)); return th; }));
  head.append(line);
  const body = make("tbody");
  for (const [object, row] of rows) {
    const tr = make("tr");
    const th = make("th", object);
    th.title = object;
    tr.append(th, ...people.map((name) => { const td = make("td"); td.append(...inOrder(row.get(name) ?? []).map(button)); return td; }));
    body.append(tr);
  }
  byId("matrix").replaceChildren(head, body);
  const leaks = shown.filter((cell) => cell.verdict === "leak").length;
  byId("shown").textContent = `${shown.length} of ${cells.length} cells, ${leaks} of them leak`;
}

boxes("commands", Object.keys(LETTERS).filter((name) => cells.some((cell) => cell.command === name)), (name) => [` ${LETTERS[name]} ${name}`]);
boxes("verdicts", Object.keys(VERDICTS), (name) => [make("span", "", `swatch ${cssName(name)}`), name]);
byId("persona").append(...distinct("persona").map((name) => Object.assign(make("option", name), { value: name })));
byId("filters").addEventListener("input", draw);
byId("filters").addEventListener("submit", (event) => event.preventDefault());
draw();
