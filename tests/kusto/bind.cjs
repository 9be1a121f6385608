// Parses and binds hunting queries with Microsoft's own KQL parser.
//
// Reads JSON from standard input: `tables`, table → column → type; `queries` and `literals`, texts.
// Writes JSON: of each query its diagnostics and the columns of its result, column → type; of each
// string literal the text that it stands for. The one argument is the folder of node_modules.
"use strict";

const path = require("path");

const folder = path.join(path.resolve(process.argv[2]), "@kusto", "language-service-next");
require(path.join(folder, "bridge.min.js"));
require(path.join(folder, "Kusto.Language.Bridge.min.js"));
const { GlobalState, KustoCode, KustoFacts, Symbols } = globalThis.Kusto.Language;

const each = (list) => Array.from({ length: list.Count }, (_, at) => list.getItem(at));

function globals(tables) {
  const symbols = Object.entries(tables).map(([name, columns]) => {
    const schema = Object.entries(columns).map(([column, type]) => `['${column}']: ${type}`);
    return Symbols.TableSymbol.From(`(${schema.join(", ")})`).WithName(name);
  });
  return GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("hunting", symbols));
}

function bound(text, state) {
  const code = KustoCode.ParseAndAnalyze(text, state);
  const columns = code.ResultType && code.ResultType.Columns;
  return {
    diagnostics: each(code.GetDiagnostics()).map((one) => `${one.Severity}: ${one.Message}`),
    columns: Object.fromEntries((columns ? each(columns) : []).map((c) => [c.Name, c.Type.Name])),
  };
}

let sent = "";
process.stdin.on("data", (part) => (sent += part));
process.stdin.on("end", () => {
  const { tables, queries, literals } = JSON.parse(sent);
  const state = globals(tables);
  const answer = {
    queries: queries.map((text) => bound(text, state)),
    literals: literals.map((text) => KustoFacts.GetStringLiteralValue(text)),
  };
  process.stdout.write(JSON.stringify(answer));
});
