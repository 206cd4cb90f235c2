/** The page that gives a record its point. */

import { findPoint } from "./point.js";

findPoint(document.querySelector("[data-locate]"));
