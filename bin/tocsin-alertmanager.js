#!/usr/bin/env node
import { run } from './run.js';

await run('../src/app/alertmanager/main.ts', '../dist/tocsin-alertmanager.js');
