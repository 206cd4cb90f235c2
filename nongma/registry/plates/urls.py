from django.urls import path

from nongma.registry.plates import views

urlpatterns = [path("<str:code>/identity/<str:shape>.<str:form>", views.plate, name="plate")]
