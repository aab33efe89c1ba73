#!/usr/bin/env node
'use strict';
const { existsSync } = require('node:fs');
const path = require('node:path');

const main = path.join(__dirname, '..', 'dist', 'src', 'main.js');
if (!existsSync(main)) {
  process.stderr.write('sidekick: not built yet\n  why: dist/ is missing\n  next: run `npm ci` (or `npm run build`) in the project folder\n');
  process.exit(70);
}
require(main);
