// Asks as a page would, by gRPC-Web and in JSON: node browser.mjs URL api.binpb QUESTIONS
// With a token in the environment variable TOKEN, if it is set, and in TIMEOUT with the headers that
// set a deadline, as gRPC and as Connect write them, which no clock of this client's own hides.
// Prints the answers of both, in the JSON form of the response; of an error what a page reads of it.

import { readFileSync } from 'node:fs';
import { createFileRegistry, fromBinary, fromJson, toJson } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';

const [url, descriptors, questions] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const service = registry.getService('clearlist.v1.ClearanceService');
const { input, output } = service.method.checkClearance;

async function answer(client, question) {
  try {
    return toJson(output, await client.checkClearance(fromJson(input, question)), { registry });
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    const [info] = error.findDetails(registry.getMessage('google.rpc.ErrorInfo'));
    const [localized] = error.findDetails(registry.getMessage('google.rpc.LocalizedMessage'));
    return { code: error.code, message: error.rawMessage, reason: info?.reason, chinese: localized?.message };
  }
}

async function answers(transport) {
  const client = createClient(service, transport);
  return Promise.all(JSON.parse(questions).map((question) => answer(client, question)));
}

const { TOKEN, TIMEOUT } = process.env;
const showing = (next) => (request) => {
  const [grpc, connect] = TIMEOUT?.split(' ') ?? [];
  if (grpc) request.header.set('grpc-timeout', grpc);
  if (connect) request.header.set('connect-timeout-ms', connect);
  if (TOKEN) request.header.set('authorization', `Bearer ${TOKEN}`);
  return next(request);
};
const options = { baseUrl: url, interceptors: [showing] };
console.log(
  JSON.stringify({
    grpcWeb: await answers(createGrpcWebTransport(options)),
    json: await answers(createConnectTransport(options)),
  }),
);
