// What parts of the map are about: groups of near points, and the words that stand out in their titles.

const LEAST = 40; // points on a map that is divided at all
const WORDS = /[\p{L}][\p{L}\p{N}-]{2,}/gu;
const COMMON = new Set(
  ("the and for with from that this are was not but its their our your via using use based towards toward into over under " +
    "between through about how why what when where which who can does more than new study approach method methods part " +
    "der die das und von mit für les des une dans pour sur los las del una para por con").split(" "),
);

/** [{x, y, size, text}] for x, y (Float32Array) and titles, largest first; the same for the same points. */
export function regionsOf(x, y, titles) {
  if (x.length < LEAST) return [];
  const count = Math.min(24, Math.max(4, Math.round(Math.sqrt(x.length) / 3)));
  const { of, centres } = divide(x, y, count);
  const names = nameAll(of, titles, centres.length);
  return centres
    .map((centre, group) => ({ ...centre, text: names[group] }))
    .filter((region) => region.text)
    .sort((a, b) => b.size - a.size);
}

/** k-means, begun with points that are far from each other. */
function divide(x, y, count) {
  const apart = (point, centre) => (x[point] - centre.x) ** 2 + (y[point] - centre.y) ** 2;
  const nearest = new Float32Array(x.length).fill(Infinity);
  const centres = [{ x: x[0], y: y[0] }];
  while (centres.length < count) {
    let far = 0;
    for (let point = 0; point < x.length; point += 1) {
      nearest[point] = Math.min(nearest[point], apart(point, centres.at(-1)));
      if (nearest[point] > nearest[far]) far = point;
    }
    centres.push({ x: x[far], y: y[far] });
  }
  const of = new Uint8Array(x.length);
  for (let round = 0; round < 12; round += 1) {
    for (const centre of centres) centre.sum = [0, 0, 0];
    for (let point = 0; point < x.length; point += 1) {
      let best = 0;
      for (let group = 1; group < count; group += 1) if (apart(point, centres[group]) < apart(point, centres[best])) best = group;
      of[point] = best;
      const { sum } = centres[best];
      sum[0] += x[point];
      sum[1] += y[point];
      sum[2] += 1;
    }
    for (const centre of centres) if (centre.sum[2]) [centre.x, centre.y] = [centre.sum[0] / centre.sum[2], centre.sum[1] / centre.sum[2]];
  }
  return { of, centres: centres.map((centre) => ({ x: centre.x, y: centre.y, size: centre.sum[2] })) };
}

/** For each group the two words that its titles use much more than all titles do. */
function nameAll(of, titles, count) {
  const all = new Map();
  const inGroup = Array.from({ length: count }, () => new Map());
  const sizes = new Array(count).fill(0);
  titles.forEach((title, point) => {
    sizes[of[point]] += 1;
    for (const word of new Set(title.toLowerCase().match(WORDS) ?? [])) {
      if (COMMON.has(word)) continue;
      all.set(word, (all.get(word) ?? 0) + 1);
      inGroup[of[point]].set(word, (inGroup[of[point]].get(word) ?? 0) + 1);
    }
  });
  return inGroup.map((words, group) => {
    const telling = [...words]
      .filter(([, times]) => times >= 3)
      .map(([word, times]) => [word, times * Math.log((times / sizes[group]) / (all.get(word) / titles.length))])
      .sort((a, b) => b[1] - a[1]);
    const chosen = [];
    for (const [word, weight] of telling) {
      const twin = chosen.some((other) => other.startsWith(word.slice(0, 5)) || word.startsWith(other.slice(0, 5)));
      if (weight > 0 && !twin) chosen.push(word);
      if (chosen.length === 2) break;
    }
    return chosen.join(", ");
  });
}
