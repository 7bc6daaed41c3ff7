#include "actors/pipeline/error_actor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice {
namespace {

using ::testing::ElementsAre;

TEST(error_actor, has_the_file_sealed_only_once_marks_cover_all_that_is_dirty) {
  caf::actor_system_config config;
  caf::actor_system system(config);
  const epoch_number epoch = epoch_number::make(1, 1, 0);
  std::vector<std::string> came;
  {
    caf::scoped_actor file(system);
    caf::scoped_actor supervisor(system);
    const actor_ref core =
        spawn_actor<error_actor>(system, placement::cooperative, error_core({}, std::nullopt), 0U,
                                 caf::actor_cast<actor_ref>(file), caf::actor_cast<actor_ref>(supervisor));
    dirty_record refused;
    refused.code = "too_bad";
    tell(core, dirty_report{{0}, epoch, 1, 1, {refused}});
    // The supervisor knows of the last commit before the error actor does.
    tell(core, error_seal{1, 1});
    tell(core, dirty_commit{{0}, epoch, 1, 1});
    bool sealed = false;
    file->receive_while([&] { return !sealed || came.size() < 3; })(
        [&](const dirty_report&) { came.emplace_back("report"); },
        [&](const dirty_commit&) { came.emplace_back("commit"); },
        [&](const dirty_seal&) {
          came.emplace_back("seal");
          sealed = true;
        });
    tell(core, bye_msg{});
    file->receive([](const bye_msg&) {});
  }
  EXPECT_THAT(came, ElementsAre("report", "commit", "seal"));
}

}  // namespace
}  // namespace sluice
