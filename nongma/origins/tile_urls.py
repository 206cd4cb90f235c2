from django.urls import path

from nongma.origins.views.tiles import tile

app_name = "tiles"
urlpatterns = [path("origins/<int:z>/<int:x>/<int:y>.mvt", tile, name="origins")]
