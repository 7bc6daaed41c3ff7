#include "tools/cli/memory_limit.h"

#include <gtest/gtest.h>

#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

constexpr std::uint64_t mib = 1 << 20;

TEST(memory_limit, the_least_limit_of_a_v2_group_and_its_ancestors_counts) {
  const testing::test_folder root;
  root.put("proc/self/cgroup", "0::/a/b\n");
  root.put("sys/fs/cgroup/a/b/memory.max", "max\n");
  root.put("sys/fs/cgroup/a/memory.max", "209715200\n");
  EXPECT_EQ(cgroup_memory_limit(root.path()), 200 * mib);
  root.put("sys/fs/cgroup/a/b/memory.max", "104857600\n");
  EXPECT_EQ(cgroup_memory_limit(root.path()), 100 * mib);
}

TEST(memory_limit, a_v1_memory_controller_counts_and_other_controllers_do_not) {
  const testing::test_folder root;
  root.put("proc/self/cgroup", "5:cpu,cpuacct:/c\n4:hugetlb,memory:/m/n\n0::/\n");
  root.put("sys/fs/cgroup/memory/m/n/memory.limit_in_bytes", "9223372036854771712\n");
  root.put("sys/fs/cgroup/memory/c/memory.limit_in_bytes", "1\n");
  EXPECT_EQ(cgroup_memory_limit(root.path()), std::nullopt);
  root.put("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "209715200\n");
  EXPECT_EQ(cgroup_memory_limit(root.path()), 200 * mib);
}

TEST(memory_limit, in_a_container_the_mounts_own_file_serves_where_the_path_is_the_hosts) {
  const testing::test_folder root;
  root.put("proc/self/cgroup", "0::/docker/0123\n");
  root.put("sys/fs/cgroup/memory.max", "209715200\n");
  EXPECT_EQ(cgroup_memory_limit(root.path()), 200 * mib);
}

TEST(memory_limit, odd_or_missing_files_mean_no_limit) {
  const testing::test_folder root;
  EXPECT_EQ(cgroup_memory_limit(root.path()), std::nullopt);
  root.put("proc/self/cgroup", "rubbish\n0::/\n");
  root.put("sys/fs/cgroup/memory.max", "many\n");
  EXPECT_EQ(cgroup_memory_limit(root.path()), std::nullopt);
}

TEST(memory_limit, the_budget_is_the_flag_or_160_mib_or_half_of_a_small_limit) {
  configuration configured;
  configured.file = "/c.toml";
  configured.memory_bytes = 300 * mib;
  EXPECT_EQ(choose_memory({}, configured, 10 * mib).bytes, 300 * mib);
  EXPECT_EQ(choose_memory({}, configured, {}).origin, "memory in /c.toml");
  EXPECT_EQ(choose_memory(64 * mib, configured, 10 * mib).bytes, 64 * mib);
  EXPECT_EQ(choose_memory({}, {}, {}).bytes, 160 * mib);
  EXPECT_EQ(choose_memory({}, {}, 1024 * mib).bytes, 160 * mib);
  const auto small = choose_memory({}, {}, 200 * mib);
  EXPECT_EQ(small.bytes, 100 * mib);
  EXPECT_EQ(small.origin, "half of the cgroup's limit of 200 MiB");
}

}  // namespace
}  // namespace sluice
