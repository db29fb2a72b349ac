// The attribute table: rows of the server beside a map, selection in step, cells and many rows changed in place.

import { pageData } from "../lib/text.js";
import { makeBulk } from "./bulk.js";
import { makeGrid } from "./grid.js";
import { makeTableMap } from "./mapside.js";
import { makeRows } from "./rows.js";
import { makeSelected } from "./selected.js";
import { makeServer } from "./server.js";

const page = pageData("table-config");
const side = document.getElementById("table-side");
const server = makeServer(page);
const selected = makeSelected({ layer: page.layer });
const rows = makeRows({ side, selected, server });
makeGrid({ side, page, server, selected, rows });
if (page.mayEdit) makeBulk({ page, server, selected, rows });
makeTableMap({ page, config: pageData("map-config"), server, selected, rows });
rows.start();
