// Parts of a page that change without a reload. Every form and link here also works without this script.

const announce = document.getElementById("announce");
let latest = 0;

/** Fetch a page and put its regions ([data-region]) in the place of those shown. */
async function swap(url, { push = true, toTop = false } = {}) {
  const mine = ++latest;
  const regions = document.querySelectorAll("[data-region]");
  regions.forEach((region) => region.classList.add("loading"));
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== latest) return;
    if (!page.querySelector("[data-region]")) throw new Error("another kind of page");
    const opened = [...document.querySelectorAll("details[id][open]")].map((one) => one.id);
    const focused = document.activeElement?.getAttribute("href");
    for (const region of regions) region.replaceWith(page.getElementById(region.id));
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    followForm(page);
    document.title = page.title;
    if (push) history.pushState(null, "", answer.url);
    announce.textContent = document.querySelector("[data-announce], .problem")?.textContent.trim() ?? "";
    if (focused) [...document.querySelectorAll("[data-swap]")].find((a) => a.getAttribute("href") === focused)?.focus();
    if (toTop) scrollTo({ top: 0 });
    showPicked();
  } catch {
    if (mine === latest) location.assign(url);
  } finally {
    if (mine === latest) regions.forEach((region) => region.classList.remove("loading"));
  }
}

/** Make the search form say what the fetched page's form says, without taking the cursor from a field in use. */
function followForm(page) {
  const form = document.getElementById("search");
  const other = page.getElementById("search");
  if (!form || !other) return;
  for (const field of form.querySelectorAll("input[type=radio], input[type=checkbox]")) {
    field.checked = other.querySelector(`input[name="${field.name}"][value="${CSS.escape(field.value)}"]`)?.checked ?? false;
  }
  for (const id of ["q", "where"]) {
    const field = document.getElementById(id);
    if (field !== document.activeElement || field.value.trim() === other.querySelector(`#${id}`).value) {
      field.value = other.querySelector(`#${id}`).value;
    }
  }
  form.querySelectorAll("input[type=hidden]").forEach((one) => one.remove());
  other.querySelectorAll("input[type=hidden]").forEach((one) => form.append(one));
  tell(page.getElementById("where-message").textContent);
}

function addressOf(form) {
  const said = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const like = name === "like" && form.querySelector("[name=q]")?.value.trim();
    const usual = (name === "sense" && value === "topic") || (name === "mode" && value === "hybrid");
    if (value.trim() && !like && !usual) said.set(name, value);
  }
  const query = said.toString();
  return new URL(form.action + (query ? `?${query}` : ""), location.href);
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-live]")) return;
  event.preventDefault();
  swap(addressOf(event.target));
});

document.addEventListener("change", (event) => {
  if (event.target.matches("#search input[type=radio], #search input[type=checkbox]")) swap(addressOf(event.target.form));
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey && event.button === 0;
  if (!link || !plain || !document.querySelector("[data-region]")) return;
  event.preventDefault();
  swap(link.href, { toTop: link.hasAttribute("data-top") });
});

addEventListener("popstate", () => {
  if (document.querySelector("[data-region]")) swap(location.href, { push: false });
});

// The filter, checked while it is typed.

const where = document.getElementById("where");

function tell(sentence) {
  document.getElementById("where-message").textContent = sentence;
  where.toggleAttribute("aria-invalid", Boolean(sentence));
  if (sentence) where.setAttribute("aria-invalid", "true");
}

let pause;
where?.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(async () => {
    const typed = where.value;
    const answer = await fetch(`${document.body.dataset.api}/filter?${new URLSearchParams({ where: typed })}`);
    const said = await answer.json();
    if (typed === where.value) tell(said.detail ?? "");
  }, 350);
});

// Hits that are judged, and hits that are followed.

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-judge]")) return;
  event.preventDefault();
  const button = event.submitter;
  const said = new URLSearchParams(new FormData(form, button));
  const taken = said.get("grade") === "none";
  try {
    // Sent back to the page that is shown already: what is stored then can be seen without asking for it again.
    const answer = await fetch(form.action, { method: "POST", body: said, redirect: "manual" });
    if (answer.type !== "opaqueredirect") {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      throw new Error(page.querySelector(".problem")?.textContent.trim());
    }
    for (const one of form.querySelectorAll("[data-grade]")) {
      const pressed = one === button && !taken;
      one.setAttribute("aria-pressed", String(pressed));
      one.value = pressed ? "none" : one.dataset.grade;
      one.title = pressed ? "Click again to take it back" : "";
    }
    announce.textContent = taken ? "taken back" : `judged: ${button.textContent}`;
  } catch (error) {
    announce.textContent = error.message || "this could not be stored";
    let message = form.querySelector(".message");
    if (!message) {
      message = document.createElement("p");
      message.className = "message";
      form.append(message);
    }
    message.textContent = announce.textContent;
  }
});

function followed(event) {
  const link = event.target.closest?.("a[data-hit]");
  const list = link?.closest(".cards");
  if (!list || event.button > 1) return;
  const { query, like, sense } = list.dataset;
  const said = JSON.stringify({ query, like, sense, item: link.dataset.hit, grade: 1, source: "click" });
  try {
    if (sessionStorage.getItem(`${shelf} click ${said}`)) return;
    // A beacon outlives the page and keeps nobody waiting; whether it arrives does not matter much.
    navigator.sendBeacon(`${document.body.dataset.api}/judgments`, new Blob([said], { type: "application/json" }));
    sessionStorage.setItem(`${shelf} click ${said}`, "1");
  } catch {
    // without storage or beacons a click is just a click
  }
}
document.addEventListener("click", followed);
document.addEventListener("auxclick", followed);

// Two items to compare, remembered until they are compared.

const basket = document.getElementById("basket");
const shelf = `similia ${document.body.dataset.api}`;

function picked() {
  try {
    return JSON.parse(sessionStorage.getItem(shelf) ?? "[]");
  } catch {
    return [];
  }
}

function showPicked() {
  if (!basket) return;
  const keys = picked();
  for (const button of document.querySelectorAll("[data-pick]")) {
    button.setAttribute("aria-pressed", String(keys.includes(button.dataset.pick)));
  }
  basket.hidden = keys.length === 0;
  const go = document.getElementById("basket-go");
  document.getElementById("basket-text").textContent =
    keys.length === 2 ? `Compare ${keys[0]} with ${keys[1]}?` : `Compare ${keys[0]} with … choose another one.`;
  go.hidden = keys.length !== 2;
  go.href = `${go.href.split("?")[0]}?${new URLSearchParams({ a: keys[0] ?? "", b: keys[1] ?? "" })}`;
}

function pick(keys) {
  sessionStorage.setItem(shelf, JSON.stringify(keys));
  showPicked();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pick]");
  if (button) {
    const key = button.dataset.pick;
    const keys = picked();
    pick(keys.includes(key) ? keys.filter((one) => one !== key) : [...keys, key].slice(-2));
  } else if (event.target.closest("#basket-clear")) {
    pick([]);
  } else if (event.target.closest("#basket-go")) {
    sessionStorage.removeItem(shelf); // what is shown stays until the link is followed
  }
});
addEventListener("pageshow", showPicked);

// A list that opens at a click closes at a click elsewhere.
document.addEventListener("click", (event) => {
  for (const one of document.querySelectorAll("details[data-popover][open]")) {
    if (!one.contains(event.target)) one.open = false;
  }
});
