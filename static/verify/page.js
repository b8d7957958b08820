// The page: files in, verdicts out. Nothing of a file becomes markup; everything is written as text.

const SHOWN_FAILURES = 200;
const OUTCOME_CLASS = { [HOLDS]: "v-holds", [FAILS]: "v-fails", [NOT_CHECKED]: "v-not-checked" };
const EXIT_CLASS = { 0: "v-holds", 1: "v-fails", 3: "v-not-checked" };
const HINTS = {
  export: "The ZIP or the JSON file that was given to you.",
  trust: "trust.json, which you were given by another way than the export. "
    + "Without it the result is \u201cself-consistent\u201d at best.",
  head: "Optional: SEQ:HASH from your last visit, or a signed head of the log. "
    + "It shows whether the chain was cut or made again since.",
};
const EXIT_CODES = { 0: "all hold", 1: "something failed", 3: "nothing failed, something was not checked" };
const EXIT_WORDS = {
  0: "All six checks hold.",
  1: "This export fails: do not rely on it.",
  3: "Nothing failed, but not everything was checked.",
};

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === "onclick" || name === "onchange") made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Names and values as a list of descriptions.
const described = (facts) => element("dl", { class: "v-facts" },
  ...facts.flatMap(([name, value]) => [element("dt", null, name), element("dd", { class: "v-mono" }, String(value))]));

const card = (id, title, ...content) => element("section", { class: "v-card", "aria-labelledby": id },
  element("div", { class: "v-head" }, element("h2", { id }, title)), ...content);

// What the command line is told with an option, the page is told in a field.
const inPage = (words) => words.replace("Give --trust.", "Give the trust file.").replace(/ \(--(?:head|trust)\)/g, "");

class Page {
  constructor(host) {
    this.host = host;
    this.running = 0;
    this.result = element("div", { id: "v-result" });
    this.progress = element("progress", { max: "1", value: "0", "aria-label": "Progress", hidden: true });
    this.status = element("span", { role: "status", class: "v-small v-soft" });
    this.button = element("button", { type: "button", class: "v-primary", onclick: () => this.start() }, "Verify");
    host.append(this.form(), this.result);
    this.takeDrops();
  }

  form() {
    const file = (id, label, hint, accept) => {
      const hinted = `${id}-hint`, onchange = () => this.say("");
      const input = element("input", { type: "file", id, accept, "aria-describedby": hinted, onchange });
      return element("div", { class: "v-field" }, element("label", { for: id }, label), element("p", { id: hinted }, hint), input);
    };
    const plain = { autocomplete: "off", spellcheck: "false", placeholder: "41:9f2c\u2026" };
    this.head = element("textarea", { id: "v-head", rows: "2", "aria-describedby": "v-head-hint", ...plain });
    const head = element("div", { class: "v-field" },
      element("label", { for: "v-head" }, "A head that you know"),
      element("p", { id: "v-head-hint" }, HINTS.head),
      this.head);
    return element("section", { class: "v-card v-asked", "aria-labelledby": "v-asked" },
      element("div", { class: "v-head" }, element("h2", { id: "v-asked" }, "Choose the files, or drop them here")),
      element("div", { class: "v-body" },
        element("div", { class: "v-inputs" },
          file("v-export", "Export", HINTS.export, ".zip,.json"),
          file("v-trust", "Trust file", HINTS.trust, ".json"),
          head),
        element("div", { class: "v-actions" }, this.button, this.progress, this.status)));
  }

  takeDrops() {
    const over = (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      this.host.classList.toggle("v-dropping", event.type !== "drop" && event.type !== "dragleave");
    };
    for (const type of ["dragenter", "dragover", "dragleave", "drop"]) document.addEventListener(type, over);
    document.addEventListener("drop", (event) => this.takeFiles([...(event.dataTransfer?.files ?? [])]));
  }

  // What is dropped is told apart by its name: head.txt is a known head, trust.json the trust file.
  async takeFiles(files) {
    for (const file of files) {
      if (/\.txt$/i.test(file.name) && file.size < LARGE) this.head.value = await file.text();
      else this.take(/trust/i.test(file.name) ? "v-trust" : "v-export", file);
    }
    if (this.file("v-export")) await this.start();
    else if (this.file("v-trust")) this.say(`${this.file("v-trust").name} is the trust file; now the export.`);
  }

  // Puts a file into its field, as if it had been chosen there.
  take(id, file) {
    const transfer = new DataTransfer();
    transfer.items.add(file);
    this.host.querySelector(`#${id}`).files = transfer.files;
  }

  file(id) {
    return this.host.querySelector(`#${id}`).files[0] ?? null;
  }

  say(words) {
    this.status.textContent = words;
  }

  async start() {
    const run = ++this.running;
    const asked = { file: this.file("v-export"), trust: this.file("v-trust"), head: this.head.value };
    this.result.replaceChildren();
    if (!asked.file) {
      this.say("Choose an export first.");
      return;
    }
    this.button.disabled = true;
    this.progress.hidden = false;
    this.progress.removeAttribute("value");
    this.say(`Reading ${asked.file.name}`);
    try {
      const found = await verifyApart(asked, (done, of) => this.advance(run, done, of));
      if (run === this.running) this.show(found.report, { ...asked, digests: found.digests, at: new Date().toISOString() });
    } catch (error) {
      if (run === this.running) this.refuse(error);
    } finally {
      this.button.disabled = false;
      this.progress.hidden = true;
    }
  }

  advance(run, done, of) {
    if (run !== this.running) return;
    this.progress.max = of;
    this.progress.value = done;
    this.say(`${done} of ${of} receipts`);
  }

  refuse(error) {
    this.say("Not verified.");
    const words = error instanceof TrustError ? inPage(error.message) : `the file could not be read: ${error.message}`;
    this.result.append(element("p", { class: "v-error", role: "alert" }, `Not verified: ${words}`));
  }

  show(report, asked) {
    const words = EXIT_WORDS[report.exit_code];
    this.say(words);
    const title = element("h2", { class: `v-verdict ${EXIT_CLASS[report.exit_code]}`, id: "v-verdict", tabindex: "-1" }, words);
    const named = (file, digest) => (file ? `${file.name}, SHA-256 ${digest}` : "none given");
    const facts = [
      ["File", named(asked.file, asked.digests.file)], ["Trust file", named(asked.trust, asked.digests.trust)],
      ["Export", report.export_id ?? "unknown"], ["Of", report.origin ?? "unknown"], ["Scope", report.scope],
      ["Receipts", String(report.receipts)], ["Head to keep", report.head ?? "none"],
      ["Exit code", `${report.exit_code}: ${EXIT_CODES[report.exit_code]}`],
      ["Verified at", `${asked.at}, by the clock of this machine`],
    ];
    const top = element("div", { class: "v-head" }, title, described(facts), this.actions(report, asked));
    this.result.append(
      element("section", { class: "v-card", "aria-labelledby": "v-verdict" }, top),
      this.checks(report), ...(report.failures.length ? [this.failures(report)] : []));
    title.focus();
  }

  actions(report, { digests, head, at }) {
    const save = () => {
      const given = { file_sha256: digests.file, trust_sha256: digests.trust, known_head: head.trim() || null };
      const whole = { ...report, ...given, verified_at: at };
      const url = URL.createObjectURL(new Blob([`${JSON.stringify(whole, null, 2)}\n`], { type: "application/json" }));
      element("a", { href: url, download: `${report.export_id ?? "export"}.verified.json` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60000);
    };
    return element("div", { class: "v-actions" },
      element("button", { type: "button", onclick: () => print() }, "Print"),
      element("button", { type: "button", onclick: save }, "Save the result as JSON"));
  }

  checks(report) {
    const rows = report.verdicts.map(({ check, outcome, proves, does_not_prove }) =>
      element("li", { "data-check": check },
        element("strong", null, check),
        element("span", { class: `v-st ${OUTCOME_CLASS[outcome]}` }, outcome),
        element("div", null,
          element("p", null, inPage(proves)),
          element("p", { class: "v-small v-soft" }, inPage(does_not_prove)))));
    return card("v-checks", "Six checks: what each shows, and what it does not", element("ul", { class: "v-checks" }, ...rows));
  }

  failures(report) {
    const rows = report.failures.slice(0, SHOWN_FAILURES).map((failure) => {
      const where = [["seq", failure.seq ?? "unknown"], ["hash", failure.receipt_hash ?? "none"]];
      const facts = described([...where, ["expected", failure.expected], ["got", failure.got]]);
      return element("li", null, element("h3", null, `${failure.check}: ${failure.detail}`), facts);
    });
    const hidden = report.failures.length - rows.length;
    if (hidden > 0) rows.push(element("li", null, `and ${hidden} more; the saved result lists all`));
    return card("v-failures", counted(report.failures.length, "failure"), element("ul", { class: "v-failures" }, ...rows));
  }
}
