#include "plugins/api/plugin.h"

namespace sluice {

result<secret> plain_secret(const secret_text& written, const stop_signal& stop) {
  (void)stop;
  if (written.parts().empty()) {
    return secret();
  }
  if (written.parts().size() > 1 || !written.has_plain()) {
    return fail(error_kind::not_supported, "{}: {} cannot be looked up here", written.place(),
                written.shown());
  }
  return secret(written.parts().front().text);
}

}  // namespace sluice
