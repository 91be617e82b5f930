// Sends by nodemailer: HOST PORT KEY HOW AUTHORITY, where HOW is clear, starttls or tls.
const fs = require("node:fs");
const nodemailer = require("nodemailer");

const [host, port, key, how, authority] = process.argv.slice(2);
const transport = nodemailer.createTransport({
    host,
    port: Number(port),
    secure: how === "tls",
    requireTLS: how === "starttls",
    ignoreTLS: how === "clear",
    tls: { ca: fs.readFileSync(authority) },
    auth: { user: "any user", pass: key },
});
transport
    .sendMail({
        from: "Läden <shop@example.org>",
        to: "ann@inbox.test, bob@inbox.test",
        subject: "Grüße aus Node",
        headers: { "X-MC-Metadata": JSON.stringify({ order: 12 }) },
        text: "Danke für alles.\n.\n",
        html: "<p>Danke für <b>alles</b>.</p>",
        attachments: [{ filename: "Größe.txt", content: "hello" }],
        dsn: { id: "a1", return: "headers", notify: ["failure", "delay"], recipient: "shop@example.org" },
    })
    .then((sent) => console.log("accepted", sent.accepted.join(" "), sent.response))
    .catch((error) => console.log("refused", error.responseCode, error.response));
