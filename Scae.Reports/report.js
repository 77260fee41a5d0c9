// The pointer, or the arrow keys, over a chart: a line at the nearest epoch, and the value of each curve that reaches it. Long
// curves have lost points, each its own: the nearest one left stands for the epoch, and has its number. Gaps have no value.
"use strict";
for (const svg of document.querySelectorAll(".chart svg")) {
  const { box: [left, top, right, bottom], xs: [low, high], ys: [least, most], curves } = JSON.parse(svg.nextElementSibling.textContent);
  const epochs = [...new Set(curves.flatMap(curve => curve.x))].sort((a, b) => a - b);
  const x = epoch => left + (epoch - low) / (high - low) * (right - left);
  const y = value => bottom - (value - least) / (most - least) * (bottom - top);
  const marks = svg.appendChild(document.createElementNS(svg.namespaceURI, "g"));
  const box = svg.parentElement.querySelector(".box");
  let at = -1;

  const add = (name, attributes) => {
    const node = marks.appendChild(document.createElementNS(svg.namespaceURI, name));
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  };

  const nearestOf = (values, wanted) => {
    let nearest = 0;
    for (let i = 1; i < values.length; i++) if (Math.abs(values[i] - wanted) < Math.abs(values[nearest] - wanted)) nearest = i;
    return nearest;
  };

  const hide = () => {
    marks.replaceChildren();
    box.replaceChildren();
    box.hidden = true;
    at = -1;
  };

  const show = index => {
    hide();
    if (epochs.length === 0) return;
    at = Math.min(Math.max(index, 0), epochs.length - 1);
    const epoch = epochs[at];
    add("line", { class: "pointer", x1: x(epoch), x2: x(epoch), y1: top, y2: bottom });
    box.hidden = false;
    box.append(`epoch ${epoch}`);
    for (const curve of curves) {
      if (curve.x.length === 0 || epoch < curve.x[0] || epoch > curve.x.at(-1)) continue;
      const i = nearestOf(curve.x, epoch), own = curve.x[i];
      if (curve.y[i] === null) continue;
      add("circle", { class: `dot ${curve.look}`, cx: x(own), cy: y(curve.y[i]), r: 3.5 });
      const row = box.appendChild(document.createElement("div"));
      row.appendChild(document.createElement("span")).className = `swatch ${curve.look}`;
      const text = own === epoch ? curve.text[i] : `${curve.text[i]} (epoch ${own})`;
      row.append(curves.length > 1 ? `${curve.label}: ${text}` : text);
    }
    const scale = svg.clientWidth / svg.viewBox.baseVal.width, place = x(epoch) * scale;
    const fits = place + 12 + box.offsetWidth <= svg.clientWidth;
    box.style.left = `${Math.max(0, fits ? place + 12 : place - 12 - box.offsetWidth)}px`;
    box.style.top = `${svg.getBoundingClientRect().top - svg.parentElement.getBoundingClientRect().top + top * scale}px`;
  };

  svg.addEventListener("pointermove", event => {
    const frame = svg.getBoundingClientRect();
    const epoch = low + ((event.clientX - frame.left) / frame.width * svg.viewBox.baseVal.width - left) / (right - left) * (high - low);
    const nearest = nearestOf(epochs, epoch);
    if (nearest !== at) show(nearest);
  });
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") hide();
    if (step === undefined) return;
    show(at < 0 ? (step > 0 ? 0 : epochs.length - 1) : at + step);
    event.preventDefault();
  });
}
