// Asks a Clearlist server one question of every kind: node check.mjs [host:port]

import { isDeepStrictEqual } from 'node:util';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const address = process.argv[2] ?? '127.0.0.1:50051';
const types = loadSync(['clearlist/v1/clearance_service.proto', 'google/rpc/error_details.proto'], {
  includeDirs: [fileURLToPath(new URL('../../proto', import.meta.url))],
  keepCase: true, // hs_code stays hs_code
  longs: String, // uint64 does not fit a number
  enums: String,
  defaults: true,
  oneofs: true, // result.result says which of decision and error is set
});
const { ClearanceService } = grpc.loadPackageDefinition(types).clearlist.v1;
// 10,000 decisions with their matches are far more than the 4 MiB gRPC receives by default.
const options = { 'grpc.max_receive_message_length': 64 * 1024 * 1024 };
const server = new ClearanceService(address, grpc.credentials.createInsecure(), options);
const timeout = () => ({ deadline: Date.now() + 10_000 }); // for each call

/** Calls a method that takes one message and answers with one. */
function call(method, request) {
  return new Promise((resolve, reject) => {
    server[method](request, timeout(), (error, response) => (error ? reject(error) : resolve(response)));
  });
}

function expect(condition, otherwise) {
  if (!condition) throw new Error(`unexpected answer: ${otherwise}`);
}

function showDecision(decision) {
  expect(decision && decision.verdict !== 'VERDICT_UNSPECIFIED', 'a decision without a verdict');
  console.log('  verdict:', decision.verdict);
  for (const finding of decision.findings) console.log(`  ${finding.reason}: ${finding.message_en}`);
  const [best] = decision.matches; // best first
  if (best) console.log(`  entry ${best.entry.entry_id} waives:`, best.waived_documents.join(', ') || 'nothing');
}

/** Prints a google.rpc.Status and returns the fields it names. */
function showError(status) {
  console.log(`  error: ${grpc.status[status.code]}: ${status.message}`);
  // The details are messages of any type: read those you know and skip the others.
  const details = {};
  for (const { type_url, value } of status.details) {
    const type = type_url.split('/').pop(); // type.googleapis.com/google.rpc.ErrorInfo
    if (types[type]) details[type] = types[type].deserialize(value);
  }
  const [info, badRequest, localized] = ['ErrorInfo', 'BadRequest', 'LocalizedMessage'].map((type) => {
    expect(details[`google.rpc.${type}`], `an error without google.rpc.${type}`);
    return details[`google.rpc.${type}`];
  });
  expect(info.reason && info.domain === 'clearlist', 'an ErrorInfo without a reason or of another domain');
  console.log('  reason:', info.reason);
  for (const { field, description } of badRequest.field_violations) console.log(`  field ${field}: ${description}`);
  console.log(`  ${localized.locale}: ${localized.message}`);
  return badRequest.field_violations.map(({ field }) => field);
}

/** Prints a result of a batch or a stream; returns its correlation id and which kind it is. */
function showResult(result) {
  expect(result.result, 'a result with neither decision nor error');
  console.log(` ${result.correlation_id}`);
  if (result.result === 'decision') showDecision(result.decision);
  else showError(result.error);
  return [result.correlation_id, result.result];
}

async function main() {
  console.log('CheckClearance');
  const question = { hs_code: '2941.30.11.00', material_name: '四环素' };
  showDecision((await call('CheckClearance', question)).decision);

  const questions = [
    { hs_code: '2941301100', material_name: '四环素', correlation_id: 'line-1' },
    // What a spreadsheet made of 3002150090. It spoils this line and no other.
    { hs_code: '3.00215E+09', material_name: '利妥昔单抗', correlation_id: 'line-2' },
    { hs_code: '2941301200', cas_number: '64-75-5', correlation_id: 'line-3' },
  ];
  const expected = [['line-1', 'decision'], ['line-2', 'error'], ['line-3', 'decision']];

  console.log('BatchCheckClearance');
  const { results } = await call('BatchCheckClearance', { items: questions });
  expect(isDeepStrictEqual(results.map(showResult), expected), `a batch other than ${expected.join(' ')}`);

  console.log('StreamCheckClearance');
  const stream = server.StreamCheckClearance(timeout());
  for (const item of questions) stream.write({ item });
  stream.end();
  const answers = [];
  for await (const answer of stream) answers.push(showResult(answer));
  expect(isDeepStrictEqual(answers, expected), `a stream other than ${expected.join(' ')}`);

  console.log('SearchMaterials');
  const found = await call('SearchMaterials', { text: 'sihuansu' });
  for (const { score, entry, matched_text } of found.results) {
    console.log(`  ${score.toFixed(2)} ${entry.entry_id} ${matched_text}`);
  }
  console.log(`  ${found.results.length} of ${found.total_size}`);
  expect(found.results.length > 0, 'nothing found for sihuansu');

  console.log('CheckClearance with a wrong code');
  const error = await call('CheckClearance', { hs_code: '294130110', material_name: '四环素' }).then(
    () => expect(false, 'nine digits were accepted as a code'),
    (error) => error,
  );
  console.log('  status:', grpc.status[error.code]);
  expect(error.code === grpc.status.INVALID_ARGUMENT, error.details);
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const status = types['google.rpc.Status'].deserialize(bytes ?? Buffer.alloc(0));
  expect(showError(status).includes('hs_code'), 'an error that does not name hs_code');
}

try {
  await main();
} catch (error) {
  console.error(error.code === undefined ? error.message : `call failed: ${error.message}`);
  process.exitCode = 1;
} finally {
  server.close();
}
