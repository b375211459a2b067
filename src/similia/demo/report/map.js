"use strict";
// The map: a canvas that draws every point, and answers to pointer, wheel, find box and chips.
(() => {
  const data = JSON.parse(document.getElementById("points").textContent);
  const bytes = Uint8Array.from(atob(data.xy), (c) => c.charCodeAt(0));
  const xy = new Uint16Array(bytes.buffer);
  const n = data.keys.length;
  const text = data.keys.map((key, i) => (key + " " + data.notes[i]).toLowerCase());
  const shown = data.groups.map(() => true);
  const canvas = document.getElementById("map"), tip = document.getElementById("tip");
  const find = document.getElementById("find"), count = document.getElementById("count");
  const pen = canvas.getContext("2d");
  let matches = null, view = { x: 0, y: 0, zoom: 1 }, near = -1, drag = null, queued = false;

  const side = () => [canvas.clientWidth, canvas.clientHeight];
  const place = (i) => {
    const [w, h] = side(), pad = 18;
    const x = pad + (xy[2 * i] / 65535) * (w - 2 * pad), y = pad + (1 - xy[2 * i + 1] / 65535) * (h - 2 * pad);
    return [(x - view.x) * view.zoom, (y - view.y) * view.zoom];
  };
  const visible = (i) => shown[data.group[i]];

  function draw() {
    queued = false;
    const [w, h] = side(), ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, w, h);
    const base = (n > 4000 ? 1.5 : n > 800 ? 2.2 : 3.5) * Math.min(Math.sqrt(view.zoom), 3);
    for (let group = data.groups.length - 1; group >= 0; group--) {  // the largest groups are drawn last, but thinner
      if (!shown[group]) continue;
      pen.fillStyle = data.colours[group];
      for (let i = 0; i < n; i++) {
        if (data.group[i] !== group) continue;
        const [x, y] = place(i);
        if (x < -9 || y < -9 || x > w + 9 || y > h + 9) continue;
        const hit = matches === null || matches[i];
        pen.globalAlpha = matches === null ? (n < 4000 ? 0.8 : 0.62) : hit ? 0.95 : 0.07;
        const r = matches !== null && hit ? base * 1.5 : base;
        pen.beginPath();
        pen.arc(x, y, r, 0, 6.2832);
        pen.fill();
      }
    }
    pen.globalAlpha = 1;
    if (near >= 0) {
      const [x, y] = place(near);
      pen.strokeStyle = getComputedStyle(document.body).color;
      pen.lineWidth = 1.6;
      pen.beginPath();
      pen.arc(x, y, base + 4, 0, 6.2832);
      pen.stroke();
    }
    canvas.dataset.drawn = String(n);
  }
  const redraw = () => { if (!queued) { queued = true; requestAnimationFrame(draw); } };

  function point(event) {
    const box = canvas.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
    near = -1;
    let best = 14 * 14;
    for (let i = 0; i < n; i++) {
      if (!visible(i) || (matches !== null && !matches[i])) continue;
      const [x, y] = place(i), d = (x - px) ** 2 + (y - py) ** 2;
      if (d < best) { best = d; near = i; }
    }
    if (near < 0) { tip.style.display = "none"; redraw(); return; }
    tip.replaceChildren();
    const name = document.createElement("b");
    name.textContent = data.keys[near];
    tip.append(name, data.notes[near]);
    tip.style.display = "block";
    const [x, y] = place(near), [w, h] = side(), top = canvas.offsetTop;
    tip.style.left = Math.max(6, Math.min(x + 14, w - tip.offsetWidth - 8)) + "px";
    tip.style.top = top + (y + tip.offsetHeight + 20 > h ? y - tip.offsetHeight - 12 : y + 14) + "px";
    redraw();
  }

  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      view.x = drag.x - (event.clientX - drag.px) / view.zoom;
      view.y = drag.y - (event.clientY - drag.py) / view.zoom;
      redraw();
    } else point(event);
  });
  canvas.addEventListener("pointerdown", (event) => {
    drag = { px: event.clientX, py: event.clientY, x: view.x, y: view.y };
    canvas.setPointerCapture(event.pointerId);
    point(event);
  });
  canvas.addEventListener("pointerup", () => { drag = null; });
  canvas.addEventListener("pointerleave", () => { near = -1; tip.style.display = "none"; redraw(); });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
    const zoom = Math.min(60, Math.max(1, view.zoom * Math.exp(-event.deltaY * 0.0016)));
    view.x += px / view.zoom - px / zoom;
    view.y += py / view.zoom - py / zoom;
    view.zoom = zoom;
    if (zoom === 1) { view.x = 0; view.y = 0; }
    point(event);
  }, { passive: false });
  canvas.addEventListener("dblclick", () => { view = { x: 0, y: 0, zoom: 1 }; redraw(); });
  find.addEventListener("input", () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    matches = words.length ? text.map((one) => words.every((word) => one.includes(word))) : null;
    count.textContent = matches === null ? "" : matches.filter(Boolean).length.toLocaleString("en") + " found";
    redraw();
  });
  document.querySelectorAll(".chip").forEach((chip) => chip.addEventListener("click", () => {
    const group = Number(chip.dataset.group);
    shown[group] = !shown[group];
    chip.setAttribute("aria-pressed", String(shown[group]));
    redraw();
  }));
  new ResizeObserver(redraw).observe(canvas);
  redraw();
})();
