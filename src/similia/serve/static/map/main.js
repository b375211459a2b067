// The map of a collection: its points, colours, a search on it, and what is selected.

import { classify } from "./colour.js";
import { listen } from "./gestures.js";
import { Plot } from "./plot.js";
import { regionsOf } from "./regions.js";

const api = document.body.dataset.api;
const box = document.getElementById("map");
const byId = (name) => document.getElementById(`map-${name}`);
const plot = new Plot(byId("plot"));
const LISTED = 200;
let data = { keys: [], titles: [] };
let position = new Map();
let asked = 0;

const count = (number) => number.toLocaleString("en");
const itemAddress = (point) => `${box.dataset.item}?${new URLSearchParams({ key: data.keys[point] })}`;

function say(sentence) {
  byId("message").textContent = sentence;
  byId("message").hidden = !sentence;
}

async function ask(route, parameters) {
  const answer = await fetch(`${api}/${route}?${new URLSearchParams(parameters)}`);
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail);
  return said;
}

async function load({ again = false } = {}) {
  const mine = ++asked;
  const sense = byId("sense").value;
  say(again ? "Loading …" : "Computing the map …");
  try {
    const said = await ask("layout", { sense, colour: byId("colour").value });
    if (mine !== asked) return;
    const same = data.sense === sense && data.keys.length === said.keys.length;
    data = said;
    position = new Map(data.keys.map((key, point) => [key, point]));
    if (!same) {
      plot.setPoints(data.x, data.y);
      plot.regions = regionsOf(plot.x, plot.y, data.titles);
    }
    const classes = classify(data.values, data.type, data.keys.length);
    plot.setClasses(classes);
    legend(classes.classes);
    const part = data.keys.length < data.total ? `${count(data.keys.length)} of ${count(data.total)} items` : "";
    say(data.keys.length ? part : "There are no items yet.");
    if (byId("q").value.trim()) await find();
    else showHash();
    box.dataset.ready = "true";
  } catch (error) {
    if (mine === asked) say(error.message);
  }
}

function showHash() {
  const key = decodeURIComponent(location.hash.slice(1));
  if (!key || !position.has(key)) return;
  plot.goTo(position.get(key));
  requestAnimationFrame(() => point(position.get(key)));
}

// Colours

function legend(classes) {
  byId("legend-box").hidden = !data.field;
  byId("legend-title").textContent = data.field ?? "";
  byId("legend").replaceChildren(
    ...classes.map((one, kind) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      button.title = "Show or hide; with Ctrl only this one";
      button.append(swatch(one.colour), text("span", one.label), text("span", count(one.count), "count"));
      button.addEventListener("click", (event) => toggle(kind, event.ctrlKey || event.metaKey));
      item.append(button);
      return item;
    }),
  );
}

function toggle(kind, alone) {
  const only = alone && !(plot.shown[kind] && plot.shown.filter(Boolean).length === 1);
  plot.shown = plot.shown.map((shown, other) => (alone ? !only || other === kind : other === kind ? !shown : shown));
  byId("legend").querySelectorAll("button").forEach((button, other) => {
    button.setAttribute("aria-pressed", String(plot.shown[other]));
  });
  plot.draw();
}

function swatch(colour) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", "0 0 12 12");
  picture.setAttribute("aria-hidden", "true");
  const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  for (const [name, value] of Object.entries({ cx: 6, cy: 6, r: 5, fill: colour })) circle.setAttribute(name, value);
  picture.append(circle);
  return picture;
}

function text(tag, said, kind) {
  const element = document.createElement(tag);
  element.textContent = said;
  if (kind) element.className = kind;
  return element;
}

// Pointing, opening, selecting

function point(at) {
  const tip = byId("tip");
  if (plot.focus !== at) {
    plot.focus = at;
    plot.draw();
  }
  plot.canvas.classList.toggle("over", at >= 0);
  tip.hidden = at < 0;
  if (at < 0) return;
  const value = data.values?.[at];
  const beside = data.field && value !== null && value !== undefined ? `${data.field}: ${value}` : data.keys[at];
  tip.replaceChildren(document.createTextNode(data.titles[at]), text("small", beside));
  const [left, top] = plot.place(at);
  const right = plot.canvas.clientWidth - tip.offsetWidth - 6;
  const below = top + 16 + tip.offsetHeight < plot.canvas.clientHeight;
  const x = Math.max(6, Math.min(left + 14, right));
  const y = Math.max(6, below ? top + 14 : top - tip.offsetHeight - 14);
  tip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
}

function open(at, event) {
  if (event.ctrlKey || event.metaKey) window.open(itemAddress(at), "_blank", "noopener");
  else location.assign(itemAddress(at));
}

function list(points, title) {
  plot.bright = points.length ? new Set(points) : null;
  plot.draw();
  byId("list-box").hidden = false;
  byId("hint").hidden = true;
  byId("list-title").textContent = title;
  byId("list").replaceChildren(
    ...points.slice(0, LISTED).map((at) => {
      const item = document.createElement("li");
      const link = text("a", data.titles[at]);
      link.href = itemAddress(at);
      link.addEventListener("pointerenter", () => point(at));
      link.addEventListener("focus", () => point(at));
      link.addEventListener("pointerleave", () => point(-1));
      item.append(link);
      return item;
    }),
  );
  if (points.length > LISTED) byId("list").append(text("li", `and ${count(points.length - LISTED)} more`, "quiet"));
  if (points.length === 2) {
    const both = new URLSearchParams({ a: data.keys[points[0]], b: data.keys[points[1]] });
    const link = text("a", "Compare the two");
    link.href = `${box.dataset.compare}?${both}`;
    byId("list").append(link);
  }
}

function clear() {
  plot.bright = null;
  plot.draw();
  byId("list-box").hidden = true;
  byId("hint").hidden = false;
  byId("q").value = "";
  setLasso(false);
}

async function find() {
  const query = byId("q").value.trim();
  if (!query) {
    clear();
    return;
  }
  try {
    const k = Math.min(100, Number(box.dataset.most));
    const found = await ask("search", { q: query, sense: byId("sense").value, k, fields: "" });
    const points = found.hits.map((hit) => position.get(hit.key)).filter((at) => at !== undefined);
    list(points, points.length === 1 ? "The best hit" : `The ${count(points.length)} best hits`);
  } catch (error) {
    say(error.message);
  }
}

function setLasso(on) {
  byId("lasso").setAttribute("aria-pressed", String(on));
  plot.canvas.classList.toggle("lasso", on);
}

listen(plot, {
  point,
  open,
  clear,
  lassoing: () => byId("lasso").getAttribute("aria-pressed") === "true",
  select: (points) => list(points, points.length === 1 ? "1 item selected" : `${count(points.length)} items selected`),
});

byId("lasso").addEventListener("click", () => setLasso(byId("lasso").getAttribute("aria-pressed") !== "true"));
byId("in").addEventListener("click", () => plot.zoom(1.5));
byId("out").addEventListener("click", () => plot.zoom(1 / 1.5));
byId("reset").addEventListener("click", () => plot.reset());
byId("list-clear").addEventListener("click", clear);

function remember() {
  const said = new URLSearchParams();
  for (const name of ["q", "sense", "colour"]) if (byId(name).value.trim()) said.set(name, byId(name).value);
  history.replaceState(null, "", `?${said}`);
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  remember();
  find();
});
for (const name of ["sense", "colour"]) {
  byId(name).addEventListener("change", () => {
    remember();
    load({ again: name === "colour" });
  });
}
new ResizeObserver(() => (plot.extent ? plot.reset() : plot.draw())).observe(plot.canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.draw());
load();
