// Replicates documents from one PouchDB (leveldb) into express-pouchdb (leveldb, a process of its own).
//
//   node pouchdb_drain.cjs DOCUMENTS.jsonl FOLDER ROUNDS BATCH_SIZE...
//
// Filling the source and starting the server are not timed. Each round goes into a new database and
// is checked to have arrived whole. Prints one JSON object: batch size -> seconds of each round.
const { fork } = require("node:child_process");
const { mkdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const PouchDB = require("pouchdb");

const [file, folder, rounds, ...batchSizes] = process.argv.slice(2);

async function filledSource() {
  const source = new PouchDB(join(folder, "source"));
  const documents = readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const { id, ...fact } = JSON.parse(line);
      return { _id: id, ...fact };
    });
  const refused = (await source.bulkDocs(documents)).filter((answer) => answer.error);
  if (refused.length > 0) throw new Error(`the source refused ${refused.length} documents`);
  return { source, total: documents.length };
}

function startServer() {
  const home = join(folder, "server");
  mkdirSync(home);
  const server = fork(join(__dirname, "pouchdb_server.cjs"), [home]);
  return new Promise((resolve, reject) => {
    server.once("message", ({ port }) => resolve({ server, port }));
    server.once("exit", (code) => reject(new Error(`express-pouchdb ended with code ${code}`)));
  });
}

async function drain(source, total, url, batchSize) {
  const target = new PouchDB(url);
  const began = process.hrtime.bigint();
  const result = await source.replicate.to(target, { batch_size: batchSize });
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const { doc_count: arrived } = await target.info();
  if (!result.ok || arrived !== total) throw new Error(`${arrived} of ${total} documents arrived`);
  return seconds;
}

async function main() {
  const { source, total } = await filledSource();
  const { server, port } = await startServer();
  const taken = Object.fromEntries(batchSizes.map((size) => [size, []]));
  for (let round = 0; round <= Number(rounds); round += 1) {
    for (const size of batchSizes) {
      const url = `http://127.0.0.1:${port}/into-${size}-${round}`;
      const seconds = await drain(source, total, url, Number(size));
      const warmUp = round === 0;
      console.error(`  batches of ${size}: ${seconds.toFixed(2)} s${warmUp ? " (warm-up)" : ""}`);
      if (!warmUp) taken[size].push(seconds);
    }
  }
  console.log(JSON.stringify(taken));
  server.disconnect();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
