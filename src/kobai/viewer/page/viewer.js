"use strict";document.getElementById("app").textContent="kobai";
