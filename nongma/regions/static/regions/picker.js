/** The region picker: a text box that finds divisions, and a hidden input that carries the 12-digit code.
 *
 * Arrow keys move, Enter chooses, right arrow opens the level below and left arrow goes back, Escape closes. The hidden
 * input fires `change` when the choice changes.
 */

const VILLAGE = 5;
const PAUSE_MS = 180;

class Picker {
    constructor(root) {
        this.root = root;
        this.hidden = root.querySelector('input[type="hidden"]');
        this.text = root.querySelector('[role="combobox"]');
        this.list = root.querySelector('[role="listbox"]');
        this.help = root.querySelector(".field-help");
        this.hint = this.help.textContent;
        this.items = [];
        this.trail = [];
        this.active = -1;
        this.asked = 0;
        this.chosenText = this.text.value;
        this.text.addEventListener("input", () => this.typed());
        this.text.addEventListener("focus", () => this.text.select());
        this.text.addEventListener("click", () => this.list.hidden && this.ask(this.text.value === this.chosenText ? "" : this.text.value));
        this.text.addEventListener("keydown", (event) => this.key(event));
        this.text.addEventListener("blur", () => this.left());
        // A press on the list must not take the focus from the text box: the box closes the list when it loses it.
        this.list.addEventListener("pointerdown", (event) => event.preventDefault());
        this.list.addEventListener("click", (event) => this.pressed(event));
        if (this.hidden.value && !this.text.value) {
            this.restore();
        }
        this.check();
    }

    /** Show the name of a code that the page was loaded with. */
    async restore() {
        const found = await this.fetch(this.root.dataset.search, { q: this.hidden.value });
        const item = found?.find((each) => each.code === this.hidden.value);
        if (item && !this.text.value) {
            this.text.value = this.chosenText = item.full_name;
            this.check();
        }
    }

    typed() {
        this.set("", null);
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.ask(this.text.value), PAUSE_MS);
    }

    /** Fill the list: what fits the text, or with no text the level below the place to choose in. */
    async ask(text) {
        this.trail = [];
        const { search, children, within, level } = this.root.dataset;
        const query = text.trim();
        const items = query
            ? await this.fetch(search, { q: query, within, level })
            : await this.fetch(children, { of: within });
        const nothing = within ? "您管辖的范围内没有找到，请检查写法" : "没有找到，换个写法试试";
        this.show(items, query ? nothing : "没有可选的下级");
    }

    async open(item) {
        const before = this.items;
        const items = await this.fetch(this.root.dataset.children, { of: item.code });
        if (items?.length) {
            this.trail.push({ items: before, name: item.name });
            this.show(items, "");
        }
    }

    back() {
        const step = this.trail.pop();
        if (step) {
            this.show(step.items, "");
        }
    }

    /** The items of an answer, or null when it failed or a later question has overtaken it. */
    async fetch(address, parameters) {
        const ticket = ++this.asked;
        const url = new URL(address, location.href);
        for (const [name, value] of Object.entries(parameters)) {
            if (value) {
                url.searchParams.set(name, value);
            }
        }
        try {
            const response = await fetch(url, { headers: { Accept: "application/json" } });
            const answer = response.ok && !response.redirected ? await response.json() : null;
            if (ticket !== this.asked) {
                return null;
            }
            if (!answer) {
                this.help.textContent = "现在查不到区划，请刷新页面后再试";
            }
            return answer?.items ?? null;
        } catch {
            this.help.textContent = "网络不通，请稍后再试";
            return null;
        }
    }

    show(items, nothing) {
        if (!items || document.activeElement !== this.text) {
            return;
        }
        this.items = items;
        this.help.textContent = items.length ? `${items.length} 个结果，用上下键或手指选` : nothing;
        const rows = items.map((item, index) => this.row(item, index));
        if (this.trail.length) {
            rows.unshift(this.backRow());
        }
        this.list.replaceChildren(...rows);
        this.list.hidden = rows.length === 0;
        this.list.scrollTop = 0;
        this.text.setAttribute("aria-expanded", String(!this.list.hidden));
        this.activate(items.length ? 0 : -1);
    }

    row(item, index) {
        const row = document.createElement("li");
        row.id = `${this.list.id}_${index}`;
        row.role = "option";
        row.dataset.index = index;
        const name = document.createElement("span");
        name.className = "region-picker-name";
        name.append(item.name);
        if (item.full_name !== item.name) {
            const path = document.createElement("small");
            path.textContent = item.full_name;
            name.append(path);
        }
        row.append(name);
        if (item.level < VILLAGE) {
            const open = document.createElement("span");
            open.className = "region-picker-open";
            open.dataset.open = "";
            open.textContent = "下级 ›";
            row.append(open);
        }
        return row;
    }

    backRow() {
        const row = document.createElement("li");
        row.role = "option";
        row.className = "region-picker-back";
        row.dataset.back = "";
        row.textContent = `‹ 返回（${this.trail.at(-1).name}）`;
        return row;
    }

    activate(index) {
        this.active = index;
        for (const row of this.list.querySelectorAll("[data-index]")) {
            const chosen = Number(row.dataset.index) === index;
            row.setAttribute("aria-selected", String(chosen));
            if (chosen) {
                row.scrollIntoView({ block: "nearest" });
            }
        }
        if (index < 0) {
            this.text.removeAttribute("aria-activedescendant");
        } else {
            this.text.setAttribute("aria-activedescendant", `${this.list.id}_${index}`);
        }
    }

    key(event) {
        const open = !this.list.hidden;
        const item = this.items[this.active];
        const atEnd = this.text.selectionStart === this.text.value.length || this.text.selectionStart !== this.text.selectionEnd;
        if (event.key === "ArrowDown" && !open) {
            this.ask(this.text.value === this.chosenText ? "" : this.text.value);
        } else if (event.key === "ArrowDown" && this.items.length) {
            this.activate((this.active + 1) % this.items.length);
        } else if (event.key === "ArrowUp" && open && this.items.length) {
            this.activate((this.active - 1 + this.items.length) % this.items.length);
        } else if (event.key === "ArrowRight" && open && item && item.level < VILLAGE && atEnd) {
            this.open(item);
        } else if (event.key === "ArrowLeft" && open && this.trail.length) {
            this.back();
        } else if (event.key === "Enter" && open && item) {
            this.choose(item);
        } else if (event.key === "Escape" && open) {
            this.close();
        } else {
            return;
        }
        event.preventDefault();
    }

    pressed(event) {
        const row = event.target.closest("li");
        if (!row) {
            return;
        }
        const item = this.items[Number(row.dataset.index)];
        if ("back" in row.dataset) {
            this.back();
        } else if (event.target.closest("[data-open]")) {
            this.open(item);
        } else {
            this.choose(item);
        }
    }

    choose(item) {
        if (this.root.dataset.level && String(item.level) !== this.root.dataset.level) {
            this.open(item);
            return;
        }
        this.text.value = item.full_name;
        this.set(item.code, item);
        this.close();
    }

    set(code, item) {
        this.chosenText = item ? item.full_name : "";
        if (this.hidden.value !== code) {
            this.hidden.value = code;
            this.hidden.dispatchEvent(new Event("change", { bubbles: true }));
        }
        this.check();
    }

    /** A text that stands for no division must not be sent. */
    check() {
        this.text.setCustomValidity(this.text.value.trim() && !this.hidden.value ? "请从列表里选一个区划" : "");
    }

    left() {
        clearTimeout(this.timer);
        this.asked++;
        this.close();
        if (!this.text.value.trim()) {
            this.set("", null);
        }
    }

    close() {
        this.list.hidden = true;
        this.text.setAttribute("aria-expanded", "false");
        this.activate(-1);
        this.help.textContent = this.hint;
    }
}

function start(root) {
    for (const each of root.querySelectorAll("[data-region-picker]:not([data-ready])")) {
        each.dataset.ready = "";
        new Picker(each);
    }
}

start(document);
// Parts of a page that htmx brings in later.
document.addEventListener("htmx:after:swap", () => start(document));
