local certificate = require "support.certificate"
local program = require "support.program"
local server = require "support.server"
local time = require "runtime.time"

local function output(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read "a"
  pipe:close()
  return text
end

describe("HTTPS", function()
  local blip, folder, pair

  setup(function()
    folder = server.folder()
    pair = certificate.make(folder, "one")
    blip = server.start { tls_cert = pair.cert, tls_key = pair.key, limits = { header_time = "700ms" } }
  end)

  teardown(function()
    blip:stop()
    server.remove(folder)
  end)

  local function url(path) return ("https://%s%s"):format(blip.listen, path) end

  local function curl(words) return output("curl -sS -m 10 --cacert " .. pair.cert .. " " .. words) end

  it("is answered to those who trust the certificate", function()
    assert.matches('"cluster_name":"blip"', curl(url "/"), 1, true)
    assert.matches("certificate", output("curl -sS -m 10 " .. url "/"))
  end)

  it("speaks TLS 1.2 and 1.3, and nothing older", function()
    assert.matches("blip", curl("--tls-max 1.2 " .. url "/"))
    assert.matches("blip", curl("--tlsv1.3 " .. url "/"))
    assert.matches("curl:", curl("--tls-max 1.1 --tlsv1.0 --ciphers DEFAULT@SECLEVEL=0 " .. url "/"))
  end)

  it("takes bodies of many records and answers with as many", function()
    local lines, path = {}, folder .. "/bulk.ndjson"
    for i = 1, 20000 do lines[i] = ('{"index":{"_id":"%d"}}\n{"text":"%s"}\n'):format(i, ("x"):rep(50)) end
    local file = assert(io.open(path, "w"))
    file:write(table.concat(lines))
    file:close()
    local answer = curl(("-H content-type:application/x-ndjson --data-binary @%s '%s'"):format(path,
      url "/many/_bulk"))
    assert.matches('"errors":false', answer:sub(1, 100), 1, true)
    local _, found = curl("'" .. url "/many/_search?size=10000" .. "'"):gsub('"_id"', "")
    assert.equal(10000, found)
  end)

  it("keeps a connection for many requests", function()
    local words = "-w '%%{num_connects} ' -o /dev/null %s -o /dev/null %s"
    assert.equal("1 0 ", curl(words:format(url "/", url "/healthz")))
  end)

  it("closes on a client that speaks plain HTTP", function()
    local client = blip:connect(5000)
    client:send "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    assert.is_nil(client:receive())
    client:close()
    assert.matches("blip", curl(url "/"))
  end)

  it("lets go of a client that does not end its handshake, and rests meanwhile", function()
    local before = blip:cpu_seconds()
    local client = blip:connect(5000)
    client:send "\22\3\1" -- the beginning of a handshake
    local ok, text = pcall(function() return client.socket:receive() end)
    assert.same({ true, "" }, { ok, text })
    client:close()
    assert.is_true(blip:cpu_seconds() - before < 0.3)
  end)

  it("shows another certificate after SIGHUP, and keeps its own when that is broken", function()
    local path = folder .. "/swap"
    os.execute(("cp %s %s.crt; cp %s %s.key"):format(pair.cert, path, pair.key, path))
    local other = server.start { tls_cert = path .. ".crt", tls_key = path .. ".key" }
    local function shown()
      return output(("echo | openssl s_client -connect %s 2>/dev/null | openssl x509 -noout -subject")
        :format(other.listen)):match "CN = (%w+)"
    end
    assert.equal("one", shown())
    certificate.make(folder, "swap")
    other:signal "HUP"
    assert.is_truthy(other:event "server_reloaded")
    assert.equal("swap", shown())
    os.execute(("cp %s %s.key"):format(pair.key, path))
    other:signal "HUP"
    assert.matches("is not the key of", other:event("reload_failed").reason)
    time.sleep_ms(20)
    assert.equal("swap", shown())
    other:stop()
  end)

  it("does not start with files that are no certificate and its key", function()
    local function refuses(cert, key, reason)
      local words = "serve --listen 127.0.0.1:0 --data %s/none --tls-cert %s --tls-key %s"
      local code, _, complaint = program.run(words:format(folder, cert, key), "timeout 10")
      assert.is_true(code ~= 0)
      assert.matches(reason, complaint, 1, true)
    end
    local two = certificate.make(folder, "two")
    refuses(folder .. "/absent", pair.key, "tls_cert: " .. folder .. "/absent: No such file or directory")
    refuses(pair.cert, folder .. "/absent", "tls_key: " .. folder .. "/absent: No such file or directory")
    refuses(pair.key, pair.key, "tls_cert: " .. pair.key .. " holds no certificate")
    refuses(pair.cert, pair.cert, "tls_key: " .. pair.cert .. " holds no private key")
    refuses(pair.cert, two.key, ("tls_key: %s is not the key of %s"):format(two.key, pair.cert))
    refuses(folder, pair.key, "tls_cert: " .. folder)
    local code, _, complaint = program.run("serve --tls-cert " .. pair.cert)
    assert.equal(2, code)
    assert.matches("'tls_cert' and 'tls_key' go together", complaint)
  end)
end)
