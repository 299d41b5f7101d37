/** `node grpc-health.mjs HOST:PORT`: exits 0 when the service there says that it is serving. */
import { credentials, makeClientConstructor } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';

const [address = '127.0.0.1:5051'] = process.argv.slice(2);
const client = new (makeClientConstructor(service))(address, credentials.createInsecure());
client.Check({ service: '' }, { deadline: Date.now() + 4000 }, (error, answer) => {
  if (answer?.status === 'SERVING') process.exit(0);
  process.stderr.write(`${address}: ${error?.message ?? answer?.status}\n`);
  process.exit(1);
});
