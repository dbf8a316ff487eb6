--- Certificates for specs of TLS, for 127.0.0.1, each vouched for by itself.
--     local pair = certificate.make(folder, "one")          -- pair.cert, pair.key: files
-- @module support.certificate
local certificate = {}

local COMMAND = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
  .. "-subj /CN=%s -addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s 2>/dev/null"

--- Makes a certificate and its key.
-- @tparam string folder
-- @tparam string name it is called so, and the files too
-- @treturn table `cert` and `key`, paths
function certificate.make(folder, name)
  local pair = { cert = ("%s/%s.crt"):format(folder, name), key = ("%s/%s.key"):format(folder, name) }
  assert(os.execute(COMMAND:format(name, pair.key, pair.cert)), "openssl makes no certificate")
  return pair
end

return certificate
