import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import ConfigError
from movielens_kubeflow.locations import LauncherFolders, check_shared, check_uri, is_uri

pytestmark = pytest.mark.kubeflow


@pytest.mark.parametrize("location", ["s3://bucket", "gs://bucket/a/b", "minio://ml-pipeline.x/v2/artifacts/"])
def test_object_stores(location):
    assert is_uri(location)
    assert check_uri("pipeline_root", location) == location.rstrip("/")


@pytest.mark.parametrize(
    "location",
    ["", "/data", "bucket/a", "hdfs://bucket/a", "s3://", "s3:///a", "s3://bucket?region=x", "s3://bucket/*"],
)
def test_what_the_launcher_does_not_copy(location):
    assert not is_uri(location)
    with pytest.raises(ConfigError, match=r"pipeline_root: expected s3://BUCKET/PATH.*got"):
        check_uri("pipeline_root", location)


def test_a_mounted_volume_is_shared():
    assert check_shared("data_root", "/mnt/ml/data/", ["/mnt/ml"]) == "/mnt/ml/data"
    assert check_shared("data_root", "/mnt/ml", ["/mnt/ml"]) == "/mnt/ml"


@pytest.mark.parametrize("location", ["/data", "/mnt/mlx", "mnt/ml/data", "/mnt/ml/../data", "file:///mnt/ml"])
def test_a_pods_own_disk_is_refused(location):
    with pytest.raises(ConfigError, match=r"data_root: expected .* \(mounted: /mnt/ml\), got .* is lost when it ends"):
        check_shared("data_root", location, ["/mnt/ml"])


def test_the_launchers_folders():
    launcher = LauncherFolders()
    assert launcher.path("minio://bucket/a/b") == "/minio/bucket/a/b"
    assert launcher.path("s3://bucket") == "/s3/bucket"
    assert launcher.path("gs://bucket/a") == "/gcs/bucket/a"
    assert launcher.path("/mnt/ml/a") == "/mnt/ml/a"


def test_uris_are_restored_wherever_a_path_begins():
    launcher = LauncherFolders()
    text = '{"path": "/minio/b/a", "other": "/mnt/minio/b", "list": "/s3/x,/gcs/y/z"}'
    assert launcher.restore(text) == '{"path": "minio://b/a", "other": "/mnt/minio/b", "list": "s3://x,gs://y/z"}'


KEYS = st.text("abz019-_.", min_size=1).map("x".__add__)


@given(st.sampled_from(["minio", "s3", "gs"]), KEYS, st.lists(KEYS), st.sampled_from(["/", "/tmp/pod/"]))
def test_restoring_undoes_the_mapping(scheme, bucket, keys, root):
    uri = f"{scheme}://" + "/".join([bucket, *keys])
    assert LauncherFolders(root).restore(LauncherFolders(root).path(uri)) == uri
