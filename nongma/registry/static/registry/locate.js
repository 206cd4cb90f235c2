/** Fills longitude and latitude from the phone's position, where the browser offers one; then fires `located`. */

const row = document.querySelector("[data-locate]");
const box = document.querySelector("[data-locate-here]");

const REASONS = {
    1: "没有允许定位。请在浏览器里允许本站使用位置，或者手工填写。",
    2: "现在定位不到。请到室外再试，或者手工填写。",
    3: "定位太慢。请到室外再试，或者手工填写。",
};

function fill(position) {
    const { longitude, latitude, accuracy } = position.coords;
    row.querySelector('[name="longitude"]').value = longitude.toFixed(6);
    row.querySelector('[name="latitude"]').value = latitude.toFixed(6);
    say(`已定位，误差约 ${Math.round(accuracy)} 米`);
    row.dispatchEvent(new CustomEvent("located", { bubbles: true, detail: { longitude, latitude } }));
}

function say(text) {
    box.querySelector("[role=status]").textContent = text;
}

if (row && box && "geolocation" in navigator && window.isSecureContext) {
    box.hidden = false;
    box.querySelector("button").addEventListener("click", () => {
        say("正在定位……");
        navigator.geolocation.getCurrentPosition(fill, (error) => say(REASONS[error.code] ?? REASONS[2]), {
            enableHighAccuracy: true,
            timeout: 20000,
            maximumAge: 0,
        });
    });
}
