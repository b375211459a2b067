// The points on a canvas: where they are, which are seen, and the drawing of them.

export class Plot {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.x = this.y = new Float32Array();
    this.of = new Uint8Array();
    this.classes = [];
    this.shown = []; // class -> whether it is drawn
    this.bright = null; // Set of points that stand out, or null: all do
    this.focus = -1;
    this.path = null; // the lasso, in pixels of the page
    this.regions = []; // [{x, y, size, text}]: what parts of the map are about
    this.view = { scale: 1, left: 0, top: 0 };
    this.pending = false;
  }

  /** Take points, scaled to the unit square with their proportions kept. */
  setPoints(x, y) {
    const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
    const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
    const [left, top] = [least(x), least(y)];
    const width = most(x) - left;
    const height = most(y) - top;
    this.extent = Math.max(width, height) || 1;
    this.x = Float32Array.from(x, (value) => (value - left) / this.extent);
    this.y = Float32Array.from(y, (value) => (top + height - value) / this.extent);
    this.size = { width: width / this.extent, height: height / this.extent };
    this.reset();
  }

  setClasses({ classes, of }) {
    this.classes = classes;
    this.of = of;
    this.shown = classes.map(() => true);
    this.draw();
  }

  /** Show everything. */
  reset() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const room = 28;
    const across = (width - 2 * room) / Math.max(this.size?.width ?? 1, 0.05);
    const down = (height - 2 * room) / Math.max(this.size?.height ?? 1, 0.05);
    const scale = Math.max(1, Math.min(across, down));
    this.fitted = scale;
    this.view = {
      scale,
      left: (width - scale * (this.size?.width ?? 1)) / 2,
      top: (height - scale * (this.size?.height ?? 1)) / 2,
    };
    this.draw();
  }

  move(right, down) {
    this.view.left += right;
    this.view.top += down;
    this.draw();
  }

  /** Zoom by a factor; the place (px, py) stays where it is. */
  zoom(factor, px = this.canvas.clientWidth / 2, py = this.canvas.clientHeight / 2) {
    const scale = Math.min(Math.max(this.view.scale * factor, this.fitted / 2), this.fitted * 400);
    const real = scale / this.view.scale;
    this.view = { scale, left: px - (px - this.view.left) * real, top: py - (py - this.view.top) * real };
    this.draw();
  }

  /** Bring a point to the middle, at least `factor` times as large as the whole map. */
  goTo(point, factor = 6) {
    const scale = Math.max(this.view.scale, this.fitted * factor);
    this.view = {
      scale,
      left: this.canvas.clientWidth / 2 - this.x[point] * scale,
      top: this.canvas.clientHeight / 2 - this.y[point] * scale,
    };
    this.focus = point;
    this.draw();
  }

  place(point) {
    return [this.view.left + this.x[point] * this.view.scale, this.view.top + this.y[point] * this.view.scale];
  }

  seen(point) {
    return this.shown[this.of[point]] !== false;
  }

  /** The point nearest to a place, at most `reach` pixels away; -1 if there is none. */
  at(px, py, reach = 12) {
    let best = -1;
    let nearest = reach * reach;
    for (let point = 0; point < this.x.length; point += 1) {
      if (!this.seen(point)) continue;
      const [left, top] = this.place(point);
      const dimmed = this.bright && !this.bright.has(point) ? 4 : 1;
      const distance = ((left - px) ** 2 + (top - py) ** 2) * dimmed;
      if (distance < nearest) [best, nearest] = [point, distance];
    }
    return best;
  }

  /** The points inside a closed path of [x, y] places. */
  inside(path) {
    const found = [];
    for (let point = 0; point < this.x.length; point += 1) {
      if (!this.seen(point)) continue;
      const [px, py] = this.place(point);
      let odd = false;
      for (let a = 0, b = path.length - 1; a < path.length; b = a, a += 1) {
        const [ax, ay] = path[a];
        const [bx, by] = path[b];
        if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) odd = !odd;
      }
      if (odd) found.push(point);
    }
    return found;
  }

  /** Draw before the next frame, once however often it is asked for. */
  draw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.paint();
    });
  }

  paint() {
    const { canvas, context } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const radius = this.radius();
    const dots = this.classes.map((one) => dot(one.colour, radius, ratio));
    context.globalAlpha = this.bright ? 0.13 : this.x.length > 4000 ? 0.75 : 0.85;
    for (let point = 0; point < this.x.length; point += 1) {
      if (!this.bright || !this.bright.has(point)) this.stamp(point, dots, radius, width, height);
    }
    context.globalAlpha = 1;
    if (this.bright) for (const point of this.bright) this.stamp(point, dots, radius + 1, width, height);
    const ink = getComputedStyle(canvas).color;
    if (!this.bright) this.nameRegions(ink, width, height);
    if (this.focus >= 0 && this.seen(this.focus)) this.ring(this.focus, radius + 4, ink);
    if (this.path?.length > 1) this.outline(ink);
  }

  /** Dots grow with the zoom, and shrink with the number of items. */
  radius() {
    const room = Math.min(1, Math.max(0.6, Math.min(this.canvas.clientWidth, this.canvas.clientHeight) / 750));
    const base = room * Math.min(5, Math.max(1.8, 140 / Math.sqrt(this.x.length + 1)));
    return Math.min(9, base * (this.view.scale / (this.fitted || 1)) ** 0.35);
  }

  stamp(point, dots, radius, width, height) {
    const kind = this.of[point];
    if (this.shown[kind] === false) return;
    const [left, top] = this.place(point);
    if (left < -radius || top < -radius || left > width + radius || top > height + radius) return;
    this.context.drawImage(dots[kind], left - radius - 1, top - radius - 1, 2 * radius + 2, 2 * radius + 2);
  }

  /** Words over the parts of the map, large parts first; one that would cover another is left out. */
  nameRegions(ink, width, height) {
    const { context } = this;
    const paper = getComputedStyle(this.canvas.parentElement).backgroundColor;
    const taken = [];
    context.font = `600 13px ${getComputedStyle(this.canvas).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 4;
    for (const region of this.regions) {
      const half = context.measureText(region.text).width / 2 + 6;
      const left = Math.min(Math.max(this.view.left + region.x * this.view.scale, half), width - half);
      const top = this.view.top + region.y * this.view.scale;
      const covers = taken.some((other) => Math.abs(other.left - left) < other.half + half && Math.abs(other.top - top) < 20);
      if (covers || top < 10 || top > height - 10) continue;
      taken.push({ left, top, half });
      context.strokeStyle = paper;
      context.fillStyle = ink;
      context.globalAlpha = 0.85;
      context.strokeText(region.text, left, top);
      context.globalAlpha = 1;
      context.fillText(region.text, left, top);
    }
  }

  ring(point, radius, ink) {
    const [left, top] = this.place(point);
    this.context.beginPath();
    this.context.arc(left, top, radius, 0, 2 * Math.PI);
    this.context.lineWidth = 2;
    this.context.strokeStyle = ink;
    this.context.stroke();
  }

  outline(ink) {
    const { context, path } = this;
    context.beginPath();
    path.forEach(([x, y], step) => (step ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.setLineDash([5, 4]);
    context.lineWidth = 1.5;
    context.strokeStyle = ink;
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 0.07;
    context.fillStyle = ink;
    context.fill();
    context.globalAlpha = 1;
  }
}

const made = new Map();

/** A picture of one dot, since stamping pictures is much quicker than filling circles. */
function dot(colour, radius, ratio) {
  const name = `${colour} ${radius.toFixed(1)} ${ratio}`;
  if (!made.has(name)) {
    if (made.size > 400) made.clear();
    const side = Math.ceil((2 * radius + 2) * ratio);
    const picture = document.createElement("canvas");
    picture.width = picture.height = side;
    const context = picture.getContext("2d");
    context.beginPath();
    context.arc(side / 2, side / 2, radius * ratio, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    made.set(name, picture);
  }
  return made.get(name);
}
