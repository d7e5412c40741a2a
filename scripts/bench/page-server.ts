// A bare Hono server whose one page is what it reads from its standard input. Prints its port.
import { text } from "node:stream/consumers";
import { serve } from "@hono/node-server";
import { Hono } from "hono";

const page = await text(process.stdin);
const app = new Hono().get("/", (c) => c.html(page));
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => console.log(port));
