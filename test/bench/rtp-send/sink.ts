/** A process of its own that receives datagrams on 127.0.0.1 and throws them away; prints its port. */
import { createSocket } from 'node:dgram';

const socket = createSocket('udp4');
socket.on('message', () => undefined);
socket.bind(0, '127.0.0.1', () => console.log(socket.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
