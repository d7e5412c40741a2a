/** The address that the settings name until an operator changes it. */
const EXAMPLE = new URL("https://crowdai.example.org");

/** Returns the settings of nginx for a public address, with TLS. */
export function nginxSettings(publicUrl: string | null): string {
  const { hostname, path } = partsOf(publicUrl);
  const change = publicUrl ? "" : `# CHANGE: ${hostname}, in all places, to the name of your host.\n`;
  return `# nginx in front of the broker: TLS, and everything to 127.0.0.1:8420.
${change}# 1. Get a certificate:  certbot certonly --nginx -d ${hostname}
# 2. Install this file:  cp proxy/nginx.conf /etc/nginx/sites-enabled/crowdai.conf && nginx -t && systemctl reload nginx
# 3. In crowdai.env:     PUBLIC_URL=https://${hostname}${path} and TRUSTED_PROXIES=127.0.0.1

server {
    listen 80;
    listen [::]:80;
    server_name ${hostname};
    return 301 https://$host$request_uri;
}

server {
    listen 443 ssl http2;
    listen [::]:443 ssl http2;
    server_name ${hostname};
    ssl_certificate /etc/letsencrypt/live/${hostname}/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/${hostname}/privkey.pem;
    ssl_protocols TLSv1.2 TLSv1.3;

${nginxLocation(`location ${path}/`)}${path ? `\n${nginxLocation("location /v1/envs", "    # For agents that leave out the path of an address.\n")}` : ""}}
`;
}

/** All of these lines are needed: see docs/operating.md. */
function nginxLocation(location: string, remark = ""): string {
  return `${remark}    ${location} {
        proxy_pass http://127.0.0.1:8420;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        # Believed by the broker, which finds the client in it.
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        # WebSocket.
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $http_connection;
        # The broker limits bodies; it takes them, and answers, as they come.
        client_max_body_size 0;
        client_body_timeout 2m;
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_read_timeout 15m;
        proxy_send_timeout 2m;
    }
`;
}

/** Returns the settings of Caddy for a public address. Caddy gets its certificate by itself. */
export function caddySettings(publicUrl: string | null): string {
  const { hostname, path } = partsOf(publicUrl);
  const change = publicUrl ? "" : `# CHANGE: ${hostname} to the name of your host.\n`;
  const proxied = path
    ? `\t@crowdai path ${path} ${path}/* /v1/envs /v1/envs/*\n\treverse_proxy @crowdai 127.0.0.1:8420`
    : `\treverse_proxy 127.0.0.1:8420`;
  return `# Caddy in front of the broker. It gets and renews the certificate, streams bodies of any size, and passes WebSocket on.
${change}# 1. Install this file:  cp proxy/Caddyfile /etc/caddy/Caddyfile && systemctl reload caddy
# 2. In crowdai.env:     PUBLIC_URL=https://${hostname}${path} and TRUSTED_PROXIES=127.0.0.1

${hostname} {
${proxied}
}
`;
}

function partsOf(publicUrl: string | null): { hostname: string; path: string } {
  const { hostname, pathname } = publicUrl ? new URL(publicUrl) : EXAMPLE;
  return { hostname, path: pathname.replace(/\/+$/, "") };
}
