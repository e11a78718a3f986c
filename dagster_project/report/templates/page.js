// Draws the charts when they come into view, sorts tables, unfolds long ones.
// The numbers are all in the tables: without this script nothing is lost but pictures.
(() => {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const narrow = matchMedia("(max-width: 700px)");
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // Colours and fonts are named after the style sheet's custom properties.
  function palette() {
    const style = getComputedStyle(document.documentElement);
    const values = {};
    for (const name of document.getElementById("figures").dataset.palette.split(" ")) {
      values[`--${name}`] = style.getPropertyValue(`--${name}`).trim();
    }
    return values;
  }

  function dressed(part, colours) {
    if (typeof part === "string") return colours[part] ?? part;
    if (Array.isArray(part)) return part.map((item) => dressed(item, colours));
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(
      Object.entries(part).map(([key, value]) => [key, dressed(value, colours)]));
  }

  function draw(element) {
    const figure = dressed(figures[element.id], palette());
    if (narrow.matches) {
      for (const note of figure.layout.annotations ?? []) note.font.size -= 1;
      figure.layout.yaxis.tickfont.size = figure.layout.xaxis.tickfont.size = 11;
      figure.layout.xaxis.nticks = 6;
      for (const trace of figure.data) {
        if (trace.error_y && trace.marker.size) trace.marker.size -= 2;
      }
    }
    element.querySelector(".alt")?.classList.add("heard");
    const canvas = element.querySelector(".canvas");
    const settings = { displayModeBar: false, responsive: true, scrollZoom: false };
    Plotly.react(canvas, figure.data, figure.layout, settings);
    element.dataset.drawn = "yes";
  }

  const charts = [...document.querySelectorAll(".chart")];
  if (typeof Plotly !== "undefined") {
    const reach = 600;
    const isNear = (chart) => {
      const box = chart.getBoundingClientRect();
      return chart.offsetParent && box.top < innerHeight + reach && box.bottom > -reach;
    };
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting && !entry.target.dataset.drawn) draw(entry.target);
      }
    }, { rootMargin: `${reach}px` });
    // At once what the reader sees first: an observer reports when it has time to.
    charts.forEach((chart) => isNear(chart) ? draw(chart) : seen.observe(chart));
    const redraw = () => charts.filter((chart) => chart.dataset.drawn).forEach(draw);
    dark.addEventListener("change", redraw);
    narrow.addEventListener("change", redraw);
    addEventListener("beforeprint", () =>
      charts.filter((chart) => chart.offsetParent).forEach(draw));
  }

  function sortBy(heading) {
    const table = heading.closest("table");
    const column = heading.cellIndex;
    const descending = heading.getAttribute("aria-sort") !== "descending";
    const body = table.tBodies[0];
    const value = (row) => {
      const text = row.cells[column].dataset.value;
      if (text === undefined || text === "") return null;
      return heading.dataset.kind === "text" ? text : Number(text);
    };
    const rows = [...body.rows].sort((left, right) => {
      const [a, b] = [value(left), value(right)];
      if (a === null || b === null) return (a === null) - (b === null);
      const order = typeof a === "string" ? a.localeCompare(b) : a - b;
      return descending ? -order : order;
    });
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    body.append(...rows);
    fold(table);
  }

  function fold(table) {
    const shown = Number(table.dataset.shown) / (narrow.matches ? 2 : 1);
    const limit = table.dataset.unfolded ? Infinity : shown;
    [...table.tBodies[0].rows].forEach((row, place) => { row.hidden = place >= limit; });
  }

  document.querySelectorAll("table.sortable").forEach((table) => {
    table.querySelectorAll("th button").forEach((button) =>
      button.addEventListener("click", () => sortBy(button.closest("th"))));
    fold(table);
  });
  document.querySelectorAll("button.unfold").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const table = document.getElementById(button.getAttribute("aria-controls"));
      const unfolded = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(unfolded));
      button.textContent = unfolded ? button.dataset.less : button.dataset.more;
      if (unfolded) table.dataset.unfolded = "yes"; else delete table.dataset.unfolded;
      fold(table);
    });
  });

  // A link from the ranking may lead into a folded stream.
  function unfoldTarget() {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const folded = target && target.closest("details");
    if (folded) { folded.open = true; target.scrollIntoView(); }
  }
  addEventListener("hashchange", unfoldTarget);
  unfoldTarget();
})();
