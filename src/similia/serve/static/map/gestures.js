// Mouse, touch and keys on the map: move, zoom, point at, open, draw around.

/**
 * @param {import("./plot.js").Plot} plot
 * @param {{point: (point: number) => void, open: (point: number, event: Event) => void,
 *          select: (points: number[]) => void, clear: () => void, lassoing: () => boolean}} told
 */
export function listen(plot, told) {
  const { canvas } = plot;
  const fingers = new Map();
  let moved = 0;
  let drawing = false;

  const where = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, where(event));
    moved = fingers.size > 1 ? 100 : 0;
    drawing = fingers.size === 1 && (told.lassoing() || event.shiftKey);
    plot.path = drawing ? [where(event)] : null;
  });

  canvas.addEventListener("pointermove", (event) => {
    const [px, py] = where(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      told.point(plot.at(px, py));
      return;
    }
    const [right, down] = [px - before[0], py - before[1]];
    moved += Math.hypot(right, down);
    if (drawing && fingers.size === 1) {
      if (Math.hypot(right, down) < 3) return;
      plot.path.push([px, py]);
      plot.draw();
    } else if (fingers.size === 1) {
      if (moved > 4) canvas.classList.add("dragging");
      plot.move(right, down);
    } else if (fingers.size === 2) {
      pinch(event.pointerId, [px, py]);
    }
    fingers.set(event.pointerId, [px, py]);
  });

  function pinch(moving, now) {
    const other = [...fingers].find(([finger]) => finger !== moving)[1];
    const before = fingers.get(moving);
    const [apart, was] = [now, before].map(([x, y]) => Math.hypot(x - other[0], y - other[1]));
    const middle = (place) => [(place[0] + other[0]) / 2, (place[1] + other[1]) / 2];
    const [mx, my] = middle(now);
    const [bx, by] = middle(before);
    plot.move(mx - bx, my - by);
    if (was > 0 && apart > 0) plot.zoom(apart / was, mx, my);
  }

  function lift(event) {
    if (!fingers.has(event.pointerId)) return;
    fingers.delete(event.pointerId);
    canvas.classList.remove("dragging");
    if (drawing && plot.path) {
      const path = plot.path;
      drawing = false;
      plot.path = null;
      if (path.length > 2) told.select(plot.inside(path));
      plot.draw();
    } else if (event.type === "pointerup" && moved < 5 && fingers.size === 0) {
      const touch = event.pointerType !== "mouse";
      const point = plot.at(...where(event), touch ? 22 : 12);
      // A finger cannot hover: its first tap shows the title, its second opens the item.
      if (point >= 0 && (!touch || point === plot.focus)) told.open(point, event);
      else told.point(point);
    }
  }
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => fingers.size || told.point(-1));

  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      plot.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...where(event));
    },
    { passive: false },
  );

  canvas.addEventListener("keydown", (event) => {
    const step = 60;
    const keys = {
      ArrowLeft: () => plot.move(step, 0),
      ArrowRight: () => plot.move(-step, 0),
      ArrowUp: () => plot.move(0, step),
      ArrowDown: () => plot.move(0, -step),
      "+": () => plot.zoom(1.4),
      "=": () => plot.zoom(1.4),
      "-": () => plot.zoom(1 / 1.4),
      0: () => plot.reset(),
      Escape: () => told.clear(),
      Enter: () => plot.focus >= 0 && told.open(plot.focus, event),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
    if (event.key.startsWith("Arrow") || "+=-".includes(event.key)) {
      told.point(plot.at(canvas.clientWidth / 2, canvas.clientHeight / 2, 80));
    }
  });
}
