"use strict";
// Each [data-list] holds controls and one table. A row has data-q, the text it is
// searched by, and one data-NAME per control named NAME. Without this script the
// page shows every row and no control.
for (const list of document.querySelectorAll("[data-list]")) {
  const body = list.querySelector("tbody");
  if (!body) continue;
  const rows = Array.from(body.rows);
  const bar = list.querySelector(".bar");
  const controls = Array.from(bar.querySelectorAll("input, select"));
  const count = bar.querySelector("output");
  const empty = list.querySelector(".empty");
  bar.hidden = false;

  const apply = () => {
    let shown = 0;
    for (const row of rows) {
      const keep = controls.every((c) => {
        if (c.type === "search") return c.value.toLowerCase().split(/\s+/).every((w) => row.dataset.q.includes(w));
        if (c.type === "checkbox") return !c.checked || row.dataset[c.name] === "1";
        return c.value === "" || row.dataset[c.name] === c.value;
      });
      row.hidden = !keep;
      if (keep) shown++;
    }
    count.textContent = shown === rows.length ? `${shown} shown` : `${shown} of ${rows.length} shown`;
    empty.hidden = shown > 0;
  };
  for (const c of controls) c.addEventListener("input", apply);

  const heads = Array.from(list.querySelectorAll("thead th"));
  const key = (row, i) => row.cells[i].dataset.v ?? row.cells[i].textContent.trim();
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  heads.forEach((th, i) => {
    if (!th.hasAttribute("data-sort")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = th.textContent;
    th.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = th.getAttribute("aria-sort") !== "ascending";
      for (const h of heads) h.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", up ? "ascending" : "descending");
      rows.sort((a, b) => (up ? 1 : -1) * order.compare(key(a, i), key(b, i)));
      body.append(...rows);
    });
  });
  apply();
}
