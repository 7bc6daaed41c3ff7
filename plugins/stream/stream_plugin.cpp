#include "plugins/stream/stream_plugin.h"

#include "plugins/stream/stream_source.h"
#include "plugins/stream/stream_target.h"

namespace sluice {

plugin stream_plugin() {
  return {
      .name = "stream",
      .aliases = {},
      .datax_readers = {"streamreader"},
      .datax_writers = {"streamwriter"},
      .summary = "Makes up records, and prints or discards them: for trying things out and for measuring.",
      .remarks =
          {"Random values depend on the run, the slice, the column and the record: reading a slice again "
           "gives "
           "the same records, and a resumed run goes on with them; another run has others.",
           "Dates are wall clock times to the millisecond. A fraction of a second is printed where it is not "
           "zero.",
           "Printed fields are joined by the delimiter and not quoted, and NULL is printed as `null`: the "
           "output is for eyes. Use `text` for files that are read again."},
      .reads = &stream_reader_description(),
      .writes = &stream_writer_description(),
      .make_source = &make_stream_source,
      .make_target = &make_stream_target,
  };
}

}  // namespace sluice
