// The peer of the way in: a minimal receiver that verifies a Standard Webhook and puts it into a BullMQ queue before it answers 200.
// The job's id is the event's, so that an event that is sent again is one job. Usage: node receiver.mjs PORT REDIS_PORT whsec_SECRET
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { Queue } from 'bullmq';

const [port, redis, secret] = process.argv.slice(2);
const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
const queue = new Queue('events', {
  connection: { host: '127.0.0.1', port: Number(redis), maxRetriesPerRequest: 1 },
  defaultJobOptions: { removeOnComplete: true, attempts: 10 },
});

function verified(headers, body) {
  const id = headers['webhook-id'];
  const stamp = headers['webhook-timestamp'];
  const [version, given] = (headers['webhook-signature'] ?? '').split(',');
  if (!id || version !== 'v1' || Math.abs(Date.now() / 1000 - Number(stamp)) > 300) return false;
  const want = createHmac('sha256', key).update(`${id}.${stamp}.`).update(body).digest();
  const got = Buffer.from(given ?? '', 'base64');
  return got.length === want.length && timingSafeEqual(got, want);
}

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', part => parts.push(part));
  request.on('end', async () => {
    const body = Buffer.concat(parts);
    if (!verified(request.headers, body)) {
      response.writeHead(401).end();
      return;
    }
    try {
      const event = JSON.parse(body);
      await queue.add(event.type, event, { jobId: event.id.replaceAll(':', '_') });
      response.writeHead(200).end();
    } catch {
      response.writeHead(503).end();
    }
  });
});
server.keepAliveTimeout = 3_600_000;
server.listen(Number(port), '127.0.0.1', 8192);
