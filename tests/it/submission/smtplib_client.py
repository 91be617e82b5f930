"""Sends by Python's own smtplib: HOST PORT KEY HOW AUTHORITY, where HOW is clear, starttls or tls."""

import smtplib
import ssl
import sys
from email.message import EmailMessage

host, port, key, how, authority = sys.argv[1:6]
context = ssl.create_default_context(cafile=authority)
if how == "tls":
    smtp = smtplib.SMTP_SSL(host, int(port), context=context)
else:
    smtp = smtplib.SMTP(host, int(port))
    if how == "starttls":
        smtp.starttls(context=context)
try:
    smtp.login("any user", key)
except smtplib.SMTPAuthenticationError as refused:
    print("refused", refused.smtp_code, refused.smtp_error.decode())
    sys.exit(0)
message = EmailMessage()
message["From"] = "Läden <shop@example.org>"
message["To"] = "ann@inbox.test"
message["Subject"] = "Grüße aus Python"
message["X-MC-Tags"] = "python"
message.set_content("Danke für alles.\n.\n")
message.add_alternative("<p>Danke für <b>alles</b>.</p>", subtype="html")
message.add_attachment(bytes(range(256)), maintype="application", subtype="octet-stream", filename="Größe.bin")
print("refused recipients", smtp.send_message(message, to_addrs=["ann@inbox.test"]))
smtp.quit()
