#!/usr/bin/env node
import { run } from './run.js';

await run('../src/app/main.ts', '../dist/tocsin.js');
