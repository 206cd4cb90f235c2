/** Search in the page of the manual: marks every place and goes to the next one on Enter. */

const article = document.querySelector("#manual-text");
const input = document.querySelector("#manual-search");
const found = document.querySelector("#manual-found");
let marks = [];
let at = -1;

function unmark() {
    for (const mark of marks) {
        const parent = mark.parentNode;
        mark.replaceWith(...mark.childNodes);
        parent.normalize();
    }
    marks = [];
    at = -1;
}

function mark(word) {
    unmark();
    if (!word) {
        found.textContent = "";
        return;
    }
    const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) {
        texts.push(walker.currentNode);
    }
    const wanted = word.toLowerCase();
    for (let text of texts) {
        let start = text.data.toLowerCase().indexOf(wanted);
        while (start >= 0) {
            const hit = text.splitText(start);
            text = hit.splitText(word.length);
            const box = document.createElement("mark");
            hit.replaceWith(box);
            box.append(hit);
            marks.push(box);
            start = text.data.toLowerCase().indexOf(wanted);
        }
    }
    found.textContent = marks.length ? `找到 ${marks.length} 处，按回车到下一处` : "本页没有找到，换一个词，或看其他几页";
}

input.addEventListener("input", () => mark(input.value.trim()));
input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (marks.length) {
        at = (at + 1) % marks.length;
        marks[at].scrollIntoView({ block: "center" });
        found.textContent = `第 ${at + 1} 处，共 ${marks.length} 处`;
    }
});
