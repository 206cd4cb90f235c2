/** Counts down on the button that sends another code; without script the server says how long to wait. */

const button = document.querySelector("[data-resend]");
const told = button?.querySelector("span");
const ends = Date.now() + Number(button?.dataset.resend ?? 0) * 1000;

function tick() {
    const left = Math.ceil((ends - Date.now()) / 1000);
    button.disabled = left > 0;
    told.textContent = left > 0 ? `（${left} 秒后）` : "";
    if (left > 0) {
        setTimeout(tick, 500);
    }
}

if (button) {
    tick();
}
