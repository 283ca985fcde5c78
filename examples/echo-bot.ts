// A bot that says what it hears: `npx node examples/echo-bot.ts http://localhost:8787 echo.db`
import { createClient } from "#client";
import { sqlite } from "#client/sqlite";
import "#client/node";

const [server = "http://localhost:8787", store = "echo.db"] = process.argv.slice(2);
await using me = await createClient({ server, store: sqlite(store) });
if (me.state === "new") await me.register({ username: "echo" });
await me.connect();
console.log(me.account.link);
for await (const event of me.events()) {
  if (event.type === "request") await event.accept();
  if (event.type === "message" && !event.message.own) await event.message.reply(event.message.text);
}
