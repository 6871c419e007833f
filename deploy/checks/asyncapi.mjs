// Read a description of topics as AsyncAPI's own parser does, and end with 1 where it finds an error.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [path, modules] = process.argv.slice(2);
const { Parser } = createRequire(join(resolve(modules), 'package.json'))('@asyncapi/parser');
const { document, diagnostics } = await new Parser().parse(readFileSync(path, 'utf8'));
const errors = diagnostics.filter(({ severity }) => severity === 0);
for (const { path: place, message } of errors) console.error(`${path}: ${place.join('.')}: ${message}`);
if (!document || errors.length) process.exit(1);
console.log(`${path}: ${document.channels().all().length} topics, ${document.allMessages().all().length} messages`);
