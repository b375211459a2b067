// Upload: choose or drop a file, see the types that were found, add it, follow how it goes.

const form = document.getElementById("upload");
const field = document.getElementById("file");
const list = document.getElementById("uploads");
const uploads = `${document.body.dataset.api}/uploads`;
const TYPES = ["text", "category", "integer", "number", "boolean", "date", "datetime", "list", "json", "vector"];
const words = {
  reading: "being read", ready: "read; nothing is added yet", waiting: "waiting for its turn",
  adding: "being added", done: "added", failed: "failed", stopped: "stopped",
};

const count = (number) => number.toLocaleString("en");

function card(name) {
  const article = document.getElementById("upload-template").content.firstElementChild.cloneNode(true);
  article.querySelector("h2").textContent = name;
  list.prepend(article);
  return article;
}

function fail(article, sentence) {
  const problem = article.querySelector(".problem");
  problem.textContent = sentence;
  problem.hidden = false;
  article.querySelector("progress").hidden = true;
}

/** Send a file, showing how much of it is sent. */
function send(file) {
  const article = card(file.name);
  const state = article.querySelector(".upload-state");
  const bar = article.querySelector("progress");
  if (file.size > Number(form.dataset.max)) {
    state.textContent = "not sent";
    fail(article, `The file has ${count(file.size)} bytes; ${count(Number(form.dataset.max))} are the most here.`);
    return;
  }
  const body = new FormData();
  body.append("file", file);
  const request = new XMLHttpRequest();
  request.open("POST", uploads);
  request.responseType = "json";
  state.textContent = "being sent";
  request.upload.onprogress = (event) => {
    bar.value = event.loaded / event.total;
  };
  request.onload = () => {
    if (request.status === 202) follow(article, request.response);
    else fail(article, request.response?.detail ?? `The server answered ${request.status}.`);
  };
  request.onerror = () => fail(article, "The connection broke; send the file again.");
  request.send(body);
}

/** Show an upload, and ask again until it rests. */
async function follow(article, upload) {
  let pause = 250;
  for (;;) {
    show(article, upload);
    if (!["reading", "waiting", "adding"].includes(upload.state)) return;
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(pause * 1.3, 2000);
    try {
      upload = await ask(`${uploads}/${upload.id}`);
    } catch (error) {
      fail(article, error.message);
      return;
    }
  }
}

async function ask(url, options) {
  const answer = await fetch(url, options);
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail);
  return said;
}

function show(article, upload) {
  const rows = upload.rows === null ? "" : ` · ${count(upload.rows)} rows`;
  article.dataset.state = upload.state;
  article.querySelector(".upload-state").textContent = `${count(upload.bytes)} bytes${rows} · ${words[upload.state]}`;
  const bar = article.querySelector("progress");
  const busy = ["reading", "waiting", "adding"].includes(upload.state);
  bar.hidden = !busy && upload.state !== "done";
  if (upload.state === "adding" && upload.rows) bar.value = upload.done / upload.rows;
  else if (upload.state === "done") bar.value = 1;
  else bar.removeAttribute("value");
  article.querySelector(".upload-stop").hidden = upload.state !== "waiting";
  article.querySelector(".upload-done").hidden = upload.state !== "done";
  const options = article.querySelector(".upload-options");
  options.hidden = upload.state !== "ready";
  if (upload.state === "ready") offer(article, options, upload);
  if (upload.error) fail(article, upload.error);
  if (upload.report) {
    const { added = 0, replaced = 0, skipped = 0 } = upload.report;
    article.querySelector(".upload-state").textContent =
      `${count(added)} added, ${count(replaced)} replaced, ${count(skipped)} skipped`;
  }
  article.querySelectorAll("[data-cancel]").forEach((button) => {
    button.onclick = () => ask(`${uploads}/${upload.id}`, { method: "DELETE" }).then((now) => follow(article, now));
  });
}

/** A select with the type that was found, and the others that could be meant. */
function typeChoice(found) {
  const select = document.createElement("select");
  select.setAttribute("aria-label", `Type of ${found.name}`);
  select.append(...TYPES.map((type) => new Option(type, type)));
  if (!TYPES.includes(found.type)) select.append(new Option(found.type, found.type));
  select.value = found.type;
  select.dataset.field = found.name;
  select.dataset.found = found.type;
  return select;
}

/** For the first file of a collection: which fields the sense "topic" reads. */
function textChoice(box, upload) {
  const texts = upload.fields.filter((one) => one.type === "text" && one.name !== upload.key);
  box.hidden = form.dataset.empty === undefined || texts.length < 2;
  box.replaceChildren(
    box.firstElementChild,
    ...texts.map((one) => {
      const label = document.createElement("label");
      const tick = document.createElement("input");
      Object.assign(tick, { type: "checkbox", name: "text", value: one.name, checked: true });
      label.append(tick, ` ${one.name}`);
      return label;
    }),
  );
}

/** The fields that were found, and how to add them. */
function offer(article, options, upload) {
  const rows = upload.fields.map((one) => {
    const row = document.createElement("tr");
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = one.name;
    row.append(name);
    for (const shown of [typeChoice(one), one.example, one.empty ? count(one.empty) : ""]) {
      const cell = document.createElement("td");
      cell.append(shown);
      row.append(cell);
    }
    row.lastElementChild.className = "n";
    return row;
  });
  options.querySelector("tbody").replaceChildren(...rows);
  const none = new Option("numbered by the collection", "");
  const keys = upload.fields.filter((one) => one.unique).map((one) => new Option(one.name, one.name));
  const key = options.elements.key;
  key.replaceChildren(none, ...keys);
  key.value = upload.key ?? "";
  const texts = options.querySelector(".upload-text");
  textChoice(texts, upload);
  options.onsubmit = async (event) => {
    event.preventDefault();
    const types = {};
    for (const one of options.querySelectorAll("select[data-field]")) {
      if (one.value !== one.dataset.found) types[one.dataset.field] = one.value;
    }
    const said = { key: key.value || null, on_duplicate: options.elements.on_duplicate.value, types };
    if (!texts.hidden) said.text = [...texts.querySelectorAll("input:checked")].map((tick) => tick.value);
    const body = JSON.stringify(said);
    try {
      const now = await ask(`${uploads}/${upload.id}/add`, {
        method: "POST", body, headers: { "Content-Type": "application/json" },
      });
      follow(article, now);
    } catch (error) {
      fail(article, error.message);
    }
  };
}

form.classList.add("scripted");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  for (const file of field.files) send(file);
  form.reset();
});
field.addEventListener("change", () => form.requestSubmit());
form.addEventListener("dragover", (event) => {
  event.preventDefault();
  form.classList.add("over");
});
form.addEventListener("dragleave", () => form.classList.remove("over"));
form.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  for (const file of event.dataTransfer.files) send(file);
});
// Uploads that were under way when the page was opened.
for (const article of [...list.querySelectorAll("[data-upload]")].reverse()) {
  ask(`${uploads}/${article.dataset.upload}`).then((upload) => {
    const fresh = card(upload.file);
    article.replaceWith(fresh);
    follow(fresh, upload);
  });
}
