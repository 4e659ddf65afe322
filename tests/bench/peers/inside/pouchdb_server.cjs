// express-pouchdb on loopback, leveldb in the folder given. Tells its parent the port.
// The least it can do: the mode made for PouchDB's own client, answers not compressed, nothing logged.
const express = require("express");
const PouchDB = require("pouchdb");

const folder = process.argv[2];
const app = express();
const overrideMode = { exclude: ["compression"] };
app.use(
  require("express-pouchdb")(PouchDB.defaults({ prefix: `${folder}/` }), {
    mode: "minimumForPouchDB",
    overrideMode,
  }),
);
const server = app.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
process.on("disconnect", () => process.exit(0));
