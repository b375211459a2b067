// From values to a few classes with a colour each: the most frequent values, or steps of a number or a date.

const KINDS = ["#2b83a6", "#e0762f", "#57a04a", "#c8485c", "#8b64b5", "#b58f22", "#35a79b", "#d272ab", "#7d8a3c", "#6f86d6"];
const STEPS = ["#4757c4", "#4a86d8", "#36a5ae", "#59ad5c", "#bdac2c", "#e18a2e", "#cb4a38"];
const REST = "#98a2a5";

/** {classes: [{label, colour, count}], of: Uint8Array}: the class of each value. */
export function classify(values, type, total) {
  if (!values) return { classes: [{ label: "all", colour: KINDS[0], count: total }], of: new Uint8Array(total) };
  const ordered = ["integer", "number", "date", "datetime"].includes(type);
  const distinct = new Set(values).size;
  return ordered && distinct > KINDS.length ? steps(values, type) : kinds(values, ordered);
}

const said = (value) => (value === null || value === "" ? "none" : value === true ? "yes" : value === false ? "no" : String(value));

function kinds(values, ordered) {
  const counts = new Map();
  for (const value of values) counts.set(said(value), (counts.get(said(value)) ?? 0) + 1);
  const names = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, KINDS.length);
  if (ordered) names.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const place = new Map(names.map((name, index) => [name, index]));
  const of = Uint8Array.from(values, (value) => place.get(said(value)) ?? names.length);
  const classes = names.map((label, index) => ({ label, colour: KINDS[index], count: counts.get(label) }));
  const rest = values.length - classes.reduce((sum, one) => sum + one.count, 0);
  if (rest) classes.push({ label: `${(counts.size - names.length).toLocaleString("en")} others`, colour: REST, count: rest });
  return { classes, of };
}

/** Steps that hold about as many items each. */
function steps(values, type) {
  const known = values.filter((value) => value !== null && value !== "");
  known.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const cuts = [];
  for (let step = 1; step < STEPS.length; step += 1) {
    const cut = known[Math.floor((step * known.length) / STEPS.length)];
    if (cut > known[0] && cut !== cuts.at(-1)) cuts.push(cut);
  }
  const stepOf = (value) => {
    let step = 0;
    while (step < cuts.length && value >= cuts[step]) step += 1;
    return step;
  };
  const missing = cuts.length + 1;
  const of = Uint8Array.from(values, (value) => (value === null || value === "" ? missing : stepOf(value)));
  const short = (value) =>
    type === "date" || type === "datetime" ? String(value).slice(0, 10) : Number(value).toLocaleString("en", { maximumSignificantDigits: 4 });
  const classes = Array.from({ length: cuts.length + 1 }, (_, step) => {
    const inside = known.filter((value) => stepOf(value) === step);
    const span = inside.length ? `${short(inside[0])} – ${short(inside.at(-1))}` : "";
    const colour = STEPS[Math.round((step * (STEPS.length - 1)) / Math.max(1, cuts.length))];
    return { label: span, colour, count: inside.length };
  });
  const none = values.length - known.length;
  if (none) classes.push({ label: "none", colour: REST, count: none });
  return { classes, of };
}
